// Variable-length integers, as the packed forms of a text's structure and operations use them: base 128, least significant group
// first, shortest form only.
//
// Threading: none; an Unpacker borrows its bytes and throws Error{corrupt} for what Packer would not write.
#pragma once

#include <cstdint>

#include "core/base/bytes.h"
#include "core/record/text_state.h"

namespace kopdarbs::text {

class Packer {
public:
    void octet(std::uint32_t value) { out_ += static_cast<char>(value); }
    void number(std::uint64_t value) {
        for (; value >= 128; value >>= 7) out_ += static_cast<char>(value | 128);
        out_ += static_cast<char>(value);
    }
    void octets(BytesView value) { out_.append(value); }
    void reserve(std::size_t size) { out_.reserve(size); }
    const Bytes& bytes() const { return out_; }

private:
    Bytes out_;
};

class Unpacker {
public:
    explicit Unpacker(BytesView bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    bool done() const { return at_ == end_; }
    std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
    std::uint32_t octet() {
        if (at_ == end_) refuse("it ends too early");
        return static_cast<std::uint8_t>(*at_++);
    }
    /// At most `max`.
    std::uint64_t number(std::uint64_t max) {
        std::uint64_t value = octet();
        if (value >= 128) value = rest_of_number(value & 127);
        if (value > max) refuse("a number out of bounds");
        return value;
    }
    std::uint32_t number32(std::uint32_t max) { return static_cast<std::uint32_t>(number(max)); }
    BytesView octets(std::size_t size) {
        if (size > left()) refuse("it ends too early");
        at_ += size;
        return {at_ - size, size};
    }

private:
    std::uint64_t rest_of_number(std::uint64_t value) {
        for (unsigned shift = 7; shift < 63; shift += 7) {
            const std::uint64_t group = octet();
            value |= (group & 127) << shift;
            if (group < 128) {
                if (group == 0) refuse("a number that is not the shortest");
                return value;
            }
        }
        refuse("a number out of bounds");
    }
    const char* at_;
    const char* end_;
};

}  // namespace kopdarbs::text
