// Where a server listens for what (PROTOCOL.md).
#pragma once

namespace kopdarbs::sync {

constexpr const char* kPathServer = "/1/server";      ///< who are you: ServerIntroduction
constexpr const char* kPathEnrol = "/1/enrol";        ///< EnrolRequest -> EnrolResponse
constexpr const char* kPathRecovery = "/1/recovery";  ///< signed; the sealed recovery slot
constexpr const char* kPathSync = "/1/sync";          ///< signed; a frame with SyncRequest -> a frame with SyncResponse
constexpr const char* kPathHistory = "/1/history";    ///< signed; a record's id -> a frame with its changes

}  // namespace kopdarbs::sync
