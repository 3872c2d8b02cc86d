#include "core/record/json_document.h"

#include <cstring>

namespace kopdarbs {
namespace {

class Reader {
public:
    explicit Reader(std::string_view json) : at_(json.data()), end_(json.data() + json.size()) {}

    bool document(RecordState::Document& document) {
        if (!take('{')) return false;
        if (take('}')) return at_ == end_;
        do {
            document.emplace_back();
            auto& [field, value] = document.back();
            if (!string(field)) return false;
            if (document.size() > 1 && !(document[document.size() - 2].first < field)) return false;
            if (!take(':') || !item(value, 0)) return false;
        } while (take(','));
        return take('}') && at_ == end_;
    }

private:
    bool take(char c) {
        if (at_ == end_ || *at_ != c) return false;
        ++at_;
        return true;
    }

    bool word(std::string_view word) {
        if (static_cast<std::size_t>(end_ - at_) < word.size() || std::string_view(at_, word.size()) != word) return false;
        at_ += word.size();
        return true;
    }

    bool item(Bytes& out, int depth) {
        if (at_ == end_ || depth > kMaxJsonDepth) return false;
        CborWriter w;
        switch (*at_) {
            case '"': {
                std::string_view plain;
                if (plain_string(plain)) {
                    if (!is_utf8(plain)) return false;
                    w.text(plain);
                } else {
                    std::string text;
                    if (!string(text)) return false;
                    w.text(text);
                }
                break;
            }
            case 't': w.boolean(true); return word("true") && give(out, w);
            case 'f': w.boolean(false); return word("false") && give(out, w);
            case 'n': w.null(); return word("null") && give(out, w);
            case '[': return array(out, depth);
            case '{': return object(out, depth);
            default: return integer(out);
        }
        return give(out, w);
    }

    static bool give(Bytes& out, CborWriter& w) {
        out.empty() ? void(out = w.take()) : void(out.append(w.bytes()));
        return true;
    }

    /// Up to the closing quote, when nothing before it is escaped; else the place is kept.
    bool plain_string(std::string_view& text) {
        const char* start = at_ + 1;
        const auto* close = static_cast<const char*>(std::memchr(start, '"', static_cast<std::size_t>(end_ - start)));
        if (close == nullptr) return false;
        const auto size = static_cast<std::size_t>(close - start);
        text = {start, size};
        if (std::memchr(start, '\\', size) != nullptr) return false;
        for (char c : text)
            if (static_cast<unsigned char>(c) < 0x20) return false;
        at_ = close + 1;
        return true;
    }

    bool string(std::string& text) {
        if (!take('"')) return false;
        for (const char* start = at_; at_ != end_; start = at_) {
            while (at_ != end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20) ++at_;
            text.append(start, at_);
            if (take('"')) return is_utf8(text);
            if (!take('\\') || at_ == end_) return false;
            switch (*at_++) {
                case '"': text += '"'; break;
                case '\\': text += '\\'; break;
                case 'n': text += '\n'; break;
                case 'r': text += '\r'; break;
                case 't': text += '\t'; break;
                default: return false;
            }
        }
        return false;
    }

    bool integer(Bytes& out) {
        const bool negative = take('-');
        const char* start = at_;
        std::int64_t value = 0;
        for (; at_ != end_ && *at_ >= '0' && *at_ <= '9'; ++at_) {
            value = value * 10 + (*at_ - '0');
            if (value > kMaxJsonInteger) return false;
        }
        const auto digits = at_ - start;
        if (digits == 0 || (digits > 1 && *start == '0') || (negative && value == 0)) return false;
        if (at_ != end_ && (*at_ == '.' || *at_ == 'e' || *at_ == 'E')) return false;
        CborWriter w;
        w.integer(negative ? -value : value);
        return give(out, w);
    }

    bool array(Bytes& out, int depth) {
        ++at_;
        Bytes items;
        std::size_t count = 0;
        if (!take(']')) {
            do {
                if (!item(items, depth + 1)) return false;
                ++count;
            } while (take(','));
            if (!take(']')) return false;
        }
        CborWriter w;
        w.array(count);
        w.raw(items);
        return give(out, w);
    }

    /// Keys are printed in the order of their encodings: shorter ones first.
    bool object(Bytes& out, int depth) {
        ++at_;
        CborWriter items;
        std::string last;
        std::size_t count = 0;
        if (!take('}')) {
            do {
                std::string key;
                if (!string(key)) return false;
                if (count > 0 && !(last.size() != key.size() ? last.size() < key.size() : last < key)) return false;
                items.text(key);
                last = std::move(key);
                Bytes value;
                if (!take(':') || !item(value, depth + 1)) return false;
                items.raw(value);
                ++count;
            } while (take(','));
            if (!take('}')) return false;
        }
        CborWriter w;
        w.map(count);
        w.raw(items.bytes());
        return give(out, w);
    }

    const char* at_;
    const char* end_;
};

}  // namespace

bool read_printed_document(std::string_view json, RecordState::Document& document) {
    return Reader(json).document(document);
}

}  // namespace kopdarbs
