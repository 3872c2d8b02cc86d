#include "core/store/grants.h"

#include <algorithm>

#include "core/base/cbor.h"
#include "core/record/json.h"

namespace kopdarbs {

std::string roles_json(const std::vector<std::string>& roles) {
    std::string out = "[";
    for (const std::string& role : roles) {
        if (out.size() > 1) out += ',';
        append_json_string(out, role);
    }
    return out + "]";
}

Hash256 digest_of_grants(Crypto& crypto, const std::vector<ScopeGrant>& scopes, const std::vector<std::string>& types) {
    std::vector<Bytes> items;
    for (const ScopeGrant& s : scopes) {
        CborWriter w;
        w.array(7);
        w.octets(s.id.bytes());
        w.text(s.info.name);
        w.text(s.info.label);
        w.text(s.info.section);
        w.text(s.info.target);
        w.text(s.kind);
        w.text(roles_json(s.info.roles));
        items.push_back(w.take());
    }
    for (const std::string& type : types) items.emplace_back(crypto.sha256(type).bytes());
    std::sort(items.begin(), items.end());
    Bytes all;
    for (const Bytes& item : items) all += item;
    return crypto.sha256(all);
}

Hash256 fingerprint_of(const SchemaSet& schema, Crypto& crypto) {
    Bytes all;
    for (const TypeSchema* type : schema.types()) all.append(crypto.sha256(type->source()).bytes());
    return crypto.sha256(all);
}

}  // namespace kopdarbs
