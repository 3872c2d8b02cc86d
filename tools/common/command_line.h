// A program's commands as CLI11 reads them, and its help as a person does.
//
// CLI11 is heavy to compile: only a program's main includes this. Every command knows --json, --lang and --help; a command's usage
// line is written by hand beside its options, so that help, errors and the manual say the same.
// Threading: for a program's main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/common/input.h"
#include "tools/common/outcome.h"
#include "tools/common/text_out.h"
#include "tools/common/version.h"

namespace kopdarbs::tools {

/// One command of a program whose arguments end up in a `Request`.
template <class Request>
struct Command {
    const char* name;
    const char* usage;  ///< what follows the name
    const char* about;  ///< one line
    void (*options)(CLI::App& app, Request& request);
    int (*run)(const Request& request);
};

/// The parts of a program's help that are not its commands.
struct Manual {
    const char* name;
    const char* about;  ///< one line
    const char* rest;   ///< environment, exit codes, examples
};

/// An option that may be absent; unlike CLI11's own it keeps an empty value.
inline CLI::Option* add_optional(CLI::App& app, const std::string& name, std::optional<std::string>& value) {
    return app.add_option_function<std::string>(name, [&value](const std::string& text) { value = text; });
}

/// A whole number. Unlike CLI11's own, one that is too large, or negative where that cannot be, is an error.
template <class Number, class Target>
CLI::Option* add_number(CLI::App& app, const std::string& name, Target& value) {
    return app.add_option_function<std::string>(name, [name, &value](const std::string& text) {
        Number number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc() || end != text.data() + text.size())
            throw UsageError(name + ": '" + text + "' is no whole number of its range");
        value = number;
    });
}

template <class Commands>
void print_manual(const Manual& manual, const Commands& commands) {
    print_line(bold(manual.name) + " " + kVersion + " - " + manual.about);
    print_line("\nUsage: " + std::string(manual.name) + " COMMAND … [--json] [--lang lv|en]\n\n" + bold("Commands"));
    for (const auto& command : commands) {
        print_line("  " + bold(command.name) + " " + command.usage);
        print_line("        " + std::string(command.about));
    }
    print_line("\n" + std::string(manual.rest));
}

/// Reads the command line and runs what it asks for; an exit code comes back. Throws UsageError.
template <class Request, class Commands>
int run_command_line(int argc, const char* const* argv, const Manual& manual, const Commands& commands) {
    require_utf8(argc, argv);
    Request request;
    std::string language;
    bool version = false;
    CLI::App app;
    app.set_help_flag("-h,--help");
    app.add_flag("--version", version);
    std::vector<CLI::App*> parsers{&app};
    for (const auto& command : commands) {
        CLI::App* parser = app.add_subcommand(command.name);
        parser->set_help_flag("-h,--help");
        command.options(*parser, request);
        parsers.push_back(parser);
    }
    for (CLI::App* parser : parsers) {
        parser->add_flag("--json", request.json);
        parser->add_option("--lang", language);
    }
    const auto asked = [&]() -> const Command<Request>* {
        for (const auto& command : commands) {
            if (app.got_subcommand(command.name)) return &command;
        }
        return nullptr;
    };
    const std::string see = std::string(" (see ") + manual.name + " --help)";
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        const Command<Request>* command = asked();
        if (command == nullptr) {
            print_manual(manual, commands);
        } else {
            print_line("Usage: " + std::string(manual.name) + " " + command->name + " " + command->usage + " [--json] [--lang lv|en]");
            print_line(command->about);
        }
        return kExitDone;
    } catch (const CLI::ExtrasError& e) {
        if (asked() == nullptr) throw UsageError("no command is called '" + app.remaining().front() + "'" + see);
        throw UsageError(std::string(asked()->name) + ": " + e.what() + "; usage: " + manual.name + " " + asked()->name + " " +
                         asked()->usage);
    } catch (const CLI::ParseError& e) {
        if (asked() == nullptr) throw UsageError(e.what() + see);
        throw UsageError(std::string(asked()->name) + ": " + e.what() + "; usage: " + manual.name + " " + asked()->name + " " +
                         asked()->usage);
    }
    if (version) {
        print_line(std::string(manual.name) + " " + kVersion);
        return kExitDone;
    }
    if (asked() == nullptr) throw UsageError("no command was given" + see);
    request.language = choose_language(language);
    try {
        return asked()->run(request);
    } catch (const Error& e) {
        throw Error(e.code(), in_language(e.what(), request.language));
    }
}

}  // namespace kopdarbs::tools
