// A server as a directory: its store, its own authority, its certificate, and the keys of both.
//
//   DIR/server.db              everything the municipality saved (with -wal and -shm while it is open)
//   DIR/ca.pem, DIR/ca.key     the authority that devices are given at enrolment, and its key
//   DIR/server.pem, server.key the certificate that the authority signed, and its key
//   DIR/serve.lock             held by the process that serves
//
// Invariants: the directory is its owner's only (0700), keys are 0600.
#pragma once

#include <memory>
#include <string>

#include "sync/server/server.h"

namespace kopdarbs::tools {

struct ServerDir {
    std::string dir;

    std::string database() const { return dir + "/server.db"; }
    std::string authority() const { return dir + "/ca.pem"; }
    std::string authority_key() const { return dir + "/ca.key"; }
    std::string certificate() const { return dir + "/server.pem"; }
    std::string key() const { return dir + "/server.key"; }
    std::string lock() const { return dir + "/serve.lock"; }
};

/// Throws Error{not_found} "no server at DIR".
void require_server(const ServerDir& at);
std::unique_ptr<sync::Server> open_server(const ServerDir& at, Env env);

}  // namespace kopdarbs::tools
