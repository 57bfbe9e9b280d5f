#pragma once
/// The three kinds of failure and their tools.
///
///  * The user, a file or the machine is at fault: `HODO_CHECK(condition, "sentence {}", value)`
///    or `fail("sentence {}", value)` throw `Error`. The message is one sentence: problem (why it
///    matters) what to do; it names the file, event, key, value and the expected range.
///  * Hodoscope is at fault: contracts `HODO_EXPECT`, `HODO_ASSERT`, `HODO_ENSURE` throw `Defect`
///    (in debug builds; `HODO_DOOR` is the cheap one that stays on in release).
///  * Nobody is at fault: `std::optional`, an enum, or `Result<T>`.
///
/// Only `main` prints an exception. Exit codes: 0 success, 1 user or data error, 2 wrong command
/// line, 3 bug in Hodoscope or a feature this build lacks, 130 interrupted after a clean save.

#include "hodo/base/text.hh"

#include <stdexcept>
#include <string>
#include <variant>

namespace hodo::base {

enum class ExitCode : int { success = 0, data = 1, usage = 2, defect = 3, interrupted = 130 };

/// A failure that has a message for the user and an exit code.
class Error : public std::runtime_error {
  public:
    explicit Error(const std::string& message, ExitCode code = ExitCode::data)
        : std::runtime_error(message), code_(code) {}
    ExitCode code() const noexcept { return code_; }

  private:
    ExitCode code_;
};

/// A broken contract inside Hodoscope: a bug to be reported.
class Defect : public std::logic_error {
  public:
    using std::logic_error::logic_error;
};

/// Throws `Error` with exit code 1.
template <class... Values>
[[noreturn]] void fail(std::string_view pattern, const Values&... values) {
    throw Error(format(pattern, values...));
}

/// Throws `Error` with exit code 2: the command line itself is wrong.
template <class... Values>
[[noreturn]] void fail_usage(std::string_view pattern, const Values&... values) {
    throw Error(format(pattern, values...), ExitCode::usage);
}

/// The same error with "context: " in front, for adding what the caller knows on the way up.
Error with_context(const Error& error, std::string_view context);

[[noreturn]] void broken_contract(const char* kind, const char* condition, const char* file,
                                  int line);

/// A value or the sentence that says why there is none, for failures expected inside loops.
template <class T>
class Result {
  public:
    Result(T value) : content_(std::move(value)) {}
    static Result failure(std::string reason) { return Result(Reason{std::move(reason)}); }

    explicit operator bool() const { return std::holds_alternative<T>(content_); }
    const T& value() const& { return std::get<T>(content_); }
    T&& value() && { return std::get<T>(std::move(content_)); }
    const std::string& reason() const { return std::get<Reason>(content_).text; }

  private:
    struct Reason {
        std::string text;
    };
    explicit Result(Reason reason) : content_(std::move(reason)) {}
    std::variant<T, Reason> content_;
};

}  // namespace hodo::base

#define HODO_CHECK(condition, ...)                         \
    do {                                                   \
        if (!(condition)) ::hodo::base::fail(__VA_ARGS__); \
    } while (false)

#define HODO_CONTRACT_(kind, condition)                                                        \
    do {                                                                                       \
        if (!(condition)) ::hodo::base::broken_contract(kind, #condition, __FILE__, __LINE__); \
    } while (false)

#define HODO_DOOR(condition) HODO_CONTRACT_("precondition", condition)
#ifdef NDEBUG
#define HODO_EXPECT(condition) ((void)0)
#define HODO_ASSERT(condition) ((void)0)
#define HODO_ENSURE(condition) ((void)0)
#else
#define HODO_EXPECT(condition) HODO_CONTRACT_("precondition", condition)
#define HODO_ASSERT(condition) HODO_CONTRACT_("invariant", condition)
#define HODO_ENSURE(condition) HODO_CONTRACT_("postcondition", condition)
#endif
