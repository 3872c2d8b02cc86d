// The administrator's commands: they work beside a server that runs, on the same store.
#include "core/record/json.h"
#include "tools/common/input.h"
#include "tools/common/json_object.h"
#include "tools/common/outcome.h"
#include "tools/common/shapes.h"
#include "tools/common/text_out.h"
#include "tools/kopdarbsd/commands.h"
#include "tools/kopdarbsd/server_dir.h"

namespace kopdarbs::tools {
namespace {

constexpr std::size_t kMaxProvisionBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxTypeBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxTypes = 1000;

std::string folder_of(const std::string& file) {
    const std::size_t slash = file.rfind('/');
    return slash == file.npos ? std::string() : file.substr(0, slash + 1);
}

/// JSON as a file holds it. Throws UsageError when it is malformed.
std::string json_file(const std::string& path, std::size_t max_size) {
    const Bytes text = input_file(path, max_size);
    try {
        return normal_json(text);
    } catch (const Error& e) {
        throw UsageError(path + ": " + e.what());
    }
}

/// The files that a provision file names in "types", beside it. Whether "types" is what it must be is the server's to say.
std::vector<std::string> type_files(const std::string& path, const std::string& provision) {
    std::vector<std::string> types;
    if (provision.front() != '{') return types;
    for (const auto& [name, value] : document_from_json(provision)) {
        if (name != "types" || CborReader(value).peek() != CborType::array) continue;
        CborReader in(value);
        for (std::size_t n = in.array(kMaxTypes); n > 0; --n) {
            if (in.peek() != CborType::text) throw UsageError(path + ": \"types\" holds something else than file names");
            const std::string file(in.text());
            types.push_back(json_file(file.rfind('/', 0) == 0 ? file : folder_of(path) + file, kMaxTypeBytes));
        }
    }
    return types;
}

std::string to_json(const sync::DeviceInfo& device) {
    return JsonObject()
        .text("device", to_string(device.device))
        .text("replica", to_string(device.replica))
        .text("user", device.user)
        .text_or_null("enrolled", time_or_never(device.enrolled_ms))
        .text_or_null("last_seen", time_or_never(device.last_seen_ms))
        .number("changes", device.changes)
        .integer("clock_offset_ms", device.clock_offset_ms)
        .str();
}

/// Names and numbers, as one JSON object or as a line each.
void print_counts(const Request& request, JsonObject head, const std::vector<std::pair<const char*, std::uint64_t>>& counts) {
    for (const auto& [name, count] : counts) {
        if (request.json)
            head.number(name, count);
        else
            print_line(std::string(name) + ": " + std::to_string(count));
    }
    if (request.json) print_line(head.str());
}

}  // namespace

int provision_command(const Request& request) {
    const ServerDir at{request.dir};
    require_server(at);
    const std::string provision = json_file(request.file, kMaxProvisionBytes);
    const std::vector<std::string> types = type_files(request.file, provision);
    Host host;
    const auto server = open_server(at, host.env());
    const sync::Provisioned done = server->provision(provision, types);
    print_counts(request, {},
                 {{"units", done.units},
                  {"files", done.files},
                  {"users", done.users},
                  {"partners", done.partners},
                  {"types", done.types},
                  {"assignments", done.assignments},
                  {"ended", done.ended}});
    return kExitDone;
}

int enrol_code_command(const Request& request) {
    Host host;
    const auto server = open_server({request.dir}, host.env());
    const std::string code = server->enrol_code(text_argument(request.user));
    print_line(request.json ? JsonObject().text("user", request.user).text("code", code).str() : code);
    return kExitDone;
}

int devices_command(const Request& request) {
    Host host;
    const auto server = open_server({request.dir}, host.env());
    Table table({"DEVICE", "USER", "ENROLLED", "LAST SEEN", "CHANGES", "CLOCK OFFSET"});
    for (const sync::DeviceInfo& device : server->devices()) {
        if (request.json) {
            print_line(to_json(device));
            continue;
        }
        const std::string seen = device.last_seen_ms == 0 ? "never" : time_or_never(device.last_seen_ms);
        table.add({to_string(device.device), device.user, time_or_never(device.enrolled_ms), seen, std::to_string(device.changes),
                   std::to_string(device.clock_offset_ms) + " ms"});
    }
    table.print();
    return kExitDone;
}

int status_command(const Request& request) {
    Host host;
    const auto server = open_server({request.dir}, host.env());
    const sync::ServerStatus status = server->status();
    JsonObject head;
    head.text("server", to_string(status.server)).text("municipality", status.municipality);
    if (!request.json) {
        print_line("server: " + to_string(status.server));
        print_line("municipality: " + one_line(status.municipality));
    }
    print_counts(request, head,
                 {{"users", status.users},
                  {"devices", status.devices},
                  {"scopes", status.scopes},
                  {"records", status.records},
                  {"changes", status.changes},
                  {"refused", status.refused},
                  {"held", status.held},
                  {"review", status.review}});
    return kExitDone;
}

int verify_command(const Request& request) {
    Host host;
    const auto server = open_server({request.dir}, host.env());
    std::optional<posix::NewFile> file;
    if (request.export_file) file.emplace(*request.export_file);
    const Verified verified = server->verify();
    for (const Damage& damage : verified.damage) print_error("kopdarbsd", "corrupt", damage.where + ": " + damage.what);
    if (file) {
        server->export_log([&](std::string_view line) { file->append(line); });
        file->keep();
    }
    if (request.json) {
        print_line(to_json(verified));
    } else {
        print_counts(
            request, {},
            {{"changes", verified.changes}, {"records", verified.records}, {"feeds", verified.feeds}, {"damaged", verified.damage.size()}});
    }
    return verified.damage.empty() ? kExitDone : kExitRefused;
}

int recover_command(const Request& request) {
    DeviceId device;
    try {
        device = parse_device_id(request.device);
    } catch (const Error&) {
        throw UsageError("'" + request.device + "' is no device id");
    }
    Host host;
    const auto server = open_server({request.dir}, host.env());
    Bytes first = read_secret("KOPDARBS_SHARE_1", "First share: ");
    Bytes second = read_secret("KOPDARBS_SHARE_2", "Second share: ");
    Bytes secret = server->recover(device, first, second);
    wipe(first);
    wipe(second);
    if (request.json) {
        print_line(JsonObject().text("device", request.device).text("secret", secret).str());
    } else {
        print_line(secret);
        print_error("kopdarbsd", "note",
                    "this opens the vault once as KOPDARBS_SECRET for `kopdarbs secret`; the opening is in the audit log");
    }
    wipe(secret);
    return kExitDone;
}

}  // namespace kopdarbs::tools
