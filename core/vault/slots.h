// Key slots: the ways in which a vault's random key is kept, each wrapped.
//
// The slots lie beside the encrypted file. One is wrapped by the user's secret (scrypt), one sealed to the municipality's recovery key; a
// kind that this version does not know is kept. The whole is closed by a SHA-256, so that a damaged file is told apart from a wrong secret,
// and each slot's wrapping binds its own parameters and the device.
//
// Bytes: canonical CBOR [1, device, [[kind, parameters…, wrapped]…], sha256 over all before].
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/env/env.h"

namespace kopdarbs {

constexpr std::size_t kVaultKeyBytes = 32;
constexpr std::size_t kMaxSlotsBytes = 64 * 1024;

/// Slots for a new key: one for `secret` (checked for strength), one sealed to `recovery`.
Bytes make_slots(const DeviceId& device, BytesView vault_key, std::string_view secret, const PublicKey& recovery, Env env,
                 const ScryptCost& cost = {});
/// The vault's key. `secret` may be "recovery:" and the key in base 32, as `kopdarbsd recover` prints it.
/// Throws Error{wrong_secret}, or Error{corrupt} when the slots were damaged.
Bytes open_slots(BytesView slots, std::string_view secret, Crypto& crypto);
/// The same slots with another secret.
Bytes rewrap_slots(BytesView slots, BytesView vault_key, std::string_view secret, Env env, const ScryptCost& cost = {});
/// The recovery slot's sealed bytes, as the server keeps them.
Bytes recovery_slot(BytesView slots, Crypto& crypto);
/// Opens a recovery slot with the municipality's private key: "recovery:…", or absent when it is another's or altered.
std::optional<Bytes> open_recovery_slot(BytesView sealed, const DeviceId& device, const KeyPair& recovery, Crypto& crypto);

}  // namespace kopdarbs
