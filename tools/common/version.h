// The version that --version prints: the project's, as CMakeLists.txt has it.
#pragma once

namespace kopdarbs::tools {

constexpr const char* kVersion = "0.1.0";

}  // namespace kopdarbs::tools
