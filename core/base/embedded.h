// Files of the source tree that are part of the program: the record types, the roles and the databases' migrations.
//
// CMake writes one source for each list (tools/cmake/embed.cmake); a program links those that it uses. Files are in order of name,
// and a name is the file's last component.
// Threading: constants.
#pragma once

#include <cstddef>
#include <string_view>

namespace kopdarbs::embedded {

struct EmbeddedFile {
    std::string_view name;
    std::string_view content;
};

/// core/schema/types/*.json
extern const EmbeddedFile types[];
extern const std::size_t types_count;

/// core/schema/roles.json and core/schema/code_lists.json
extern const EmbeddedFile schema_data[];
extern const std::size_t schema_data_count;

/// core/store/migrations/*.sql
extern const EmbeddedFile migrations[];
extern const std::size_t migrations_count;

/// The server's own migrations/*.sql
extern const EmbeddedFile server_migrations[];
extern const std::size_t server_migrations_count;

}  // namespace kopdarbs::embedded
