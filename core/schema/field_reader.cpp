// One property of a record type: its kind, what a value must look like, and who may change it to what.
#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/schema/type_reader.h"

namespace kopdarbs {
namespace {

constexpr const char* kUnchecked = "is not checked here, so it may not be asked for";

Merge read_merge(const Place& place) {
    const std::string merge = place.text("merge", kMaxNameBytes);
    if (merge.empty() || merge == "latest") return Merge::latest;
    if (merge == "review") return Merge::review;
    if (merge == "highest") return Merge::highest;
    if (merge == "set") return Merge::set;
    if (merge == "rows") return Merge::rows;
    if (merge == "counter") return Merge::counter;
    if (merge == "text") return Merge::text;
    place.fail_here("merge must be latest, review, highest, set, rows, counter or text");
}

ValueRule::Form read_form(const Place& place) {
    const std::string type = place.text("type", kMaxNameBytes);
    if (type == "string") return ValueRule::Form::string;
    if (type == "integer") return ValueRule::Form::integer;
    if (type == "number") return ValueRule::Form::number;
    if (type == "boolean") return ValueRule::Form::boolean;
    if (type == "array") return ValueRule::Form::list;
    if (type == "object") return ValueRule::Form::object;
    place.fail_here("type must be one of string, integer, number, boolean, array, object");
}

void refuse_unchecked(const Place& place, ValueRule::Form form) {
    place.refuse({"allOf",
                  "anyOf",
                  "oneOf",
                  "not",
                  "if",
                  "then",
                  "else",
                  "$ref",
                  "$dynamicRef",
                  "const",
                  "pattern",
                  "multipleOf",
                  "exclusiveMinimum",
                  "exclusiveMaximum",
                  "required",
                  "dependentRequired",
                  "dependentSchemas",
                  "dependencies",
                  "properties",
                  "patternProperties",
                  "propertyNames",
                  "minProperties",
                  "maxProperties",
                  "unevaluatedProperties",
                  "unevaluatedItems",
                  "prefixItems",
                  "additionalItems",
                  "contains",
                  "minContains",
                  "maxContains",
                  "contentSchema"},
                 kUnchecked);
    using Form = ValueRule::Form;
    if (form != Form::string) place.refuse({"minLength", "maxLength", "format", "code_list"}, "needs a string");
    if (form != Form::integer && form != Form::number) place.refuse({"minimum", "maximum"}, "needs a number");
    if (form != Form::list) place.refuse({"items", "minItems", "maxItems", "uniqueItems"}, "needs an array");
    if (place.find("additionalProperties") != nullptr && !place.flag("additionalProperties"))
        place.fail_here("additionalProperties may not be false");
}

std::shared_ptr<ValueRule> read_rule(const Place& place) {
    auto rule = std::make_shared<ValueRule>();
    rule->form = read_form(place);
    refuse_unchecked(place, rule->form);
    if (place.find("code_list") != nullptr) {
        (void)place.name("code_list");
        rule->max_length = kMaxCodeLength;
    }
    if (auto limit = place.count("minLength")) rule->min_length = *limit;
    if (auto limit = place.count("maxLength")) rule->max_length = *limit;
    if (auto limit = place.count("minItems")) rule->min_items = *limit;
    if (auto limit = place.count("maxItems")) rule->max_items = std::min(*limit, kMaxListItems);
    rule->minimum = place.number("minimum");
    rule->maximum = place.number("maximum");
    if (place.find("format") != nullptr) rule->format = format_of(place.text("format", kMaxNameBytes)).value_or(Format::none);
    if (rule->form == ValueRule::Form::list) {
        const Place items = place.object("items", ", items");
        auto element = read_rule(items);
        if (element->form == ValueRule::Form::list || element->form == ValueRule::Form::object)
            items.fail_here("an element must be a scalar");
        rule->items = std::move(element);
    }
    // Each value of `enum` must itself be good, or it could be chosen and never saved.
    std::vector<Value> allowed = place.values("enum");
    for (const Value& value : allowed) {
        if (value == "\xf6") place.fail_here("null need not be in enum: absence is always valid");
        const std::optional<Finding> finding = rule->check(value);
        if (finding && !finding->warning) place.fail_here("a value of enum does not fit the rest");
    }
    rule->allowed = std::move(allowed);
    return rule;
}

Transition read_transition(const Place& place) {
    Transition transition;
    transition.roles = place.names("roles");
    transition.from = place.values("from");
    transition.to = place.values("to");
    const std::string direction = place.text("direction", kMaxNameBytes);
    if (direction == "up")
        transition.direction = Transition::Direction::up;
    else if (direction == "down")
        transition.direction = Transition::Direction::down;
    else if (!direction.empty())
        place.fail_here("direction must be up or down");
    if (place.find("requires") == nullptr) return transition;
    const Place wanted = place.object("requires", ", requires");
    Transition::Requirement requirement{wanted.name("type"), wanted.name("field"), wanted.name("link"), {}};
    const Json* value = wanted.find("value");
    if (requirement.type.empty() || requirement.field.empty() || requirement.link.empty() || value == nullptr)
        wanted.fail_here("type, field, value and link are all needed");
    requirement.value = wanted.value(*value);
    transition.requires_record = std::move(requirement);
    return transition;
}

void read_transitions(const Place& place, FieldSchema& field) {
    const Json* list = place.find("transitions");
    if (list == nullptr) return;
    if (field.kind() != Kind::scalar) place.fail_here("only a scalar field has transitions");
    if (!list->is_array() || list->empty() || list->size() > kMaxNames) place.fail_here("transitions must be a list that is not empty");
    for (const Json& one : *list) {
        field.transitions.push_back(read_transition(Place(one, place.where() + ", transitions")));
        if (field.transitions.back().direction != Transition::Direction::any && field.order.empty())
            place.fail_here("a direction needs a field with merge highest");
    }
}

void read_order(const Place& place, FieldSchema& field) {
    if (field.merge != Merge::highest) return place.refuse({"order"}, "needs merge highest");
    field.order = place.find("order") != nullptr ? place.values("order") : field.rule->allowed;
    if (field.order.empty()) place.fail_here("merge highest needs an enum or an order");
    for (const Value& value : field.order) {
        const std::optional<Finding> finding = field.rule->check(value);
        if (value == "\xf6" || (finding && !finding->warning)) place.fail_here("a value of order is not a valid value");
    }
    for (const Value& value : field.rule->allowed)
        if (field.rank(value) < 0) place.fail_here("order must name every value of enum");
}

void read_columns(const Place& place, FieldSchema& field) {
    const Place columns = place.object("columns", ", columns");
    if (columns.json().empty() || columns.json().size() > kMaxFields) columns.fail_here("none, or too many");
    for (const auto& [name, column] : columns.json().items()) {
        if (!is_name(name)) columns.fail_here("a column's name must be of letters a-z, digits and _");
        field.columns[name] = read_field(Place(column, place.where() + ", column " + name), name, true);
    }
}

/// The rule of what one op carries: an element, a total, a text, a value; rows have one for each column instead.
void read_values(const Place& place, FieldSchema& field) {
    using Form = ValueRule::Form;
    if (field.kind() == Kind::rows) {
        if (read_form(place) != Form::object) place.fail_here("rows need type object");
        refuse_unchecked(place, Form::object);
        return read_columns(place, field);
    }
    if (field.kind() == Kind::set) {
        if (read_form(place) != Form::list) place.fail_here("a set needs type array");
        place.refuse({"minItems", "maxItems", "enum"}, "can't be checked on one element of a set");
        field.rule = read_rule(place)->items;
        return;
    }
    if (place.find("uniqueItems") != nullptr) place.fail_here("uniqueItems is for sets");
    const auto rule = read_rule(place);
    if (field.kind() == Kind::counter && rule->form != Form::integer) place.fail_here("a counter needs type integer");
    if (field.kind() == Kind::text) {
        if (rule->form != Form::string) place.fail_here("a text needs type string");
        place.refuse({"enum", "format", "minLength", "maxLength", "code_list"}, "can't be checked on the pieces of a text");
        rule->max_bytes = kMaxTextBytes;
    }
    field.rule = rule;
}

}  // namespace

Kind kind_of(Merge merge) {
    switch (merge) {
        case Merge::latest:
        case Merge::review:
        case Merge::highest: return Kind::scalar;
        case Merge::set: return Kind::set;
        case Merge::rows: return Kind::rows;
        case Merge::counter: return Kind::counter;
        case Merge::text: break;
    }
    return Kind::text;
}

int FieldSchema::rank(BytesView value) const {
    const auto found = std::find_if(order.begin(), order.end(), [&](const Value& one) { return one == value; });
    return found == order.end() ? -1 : static_cast<int>(found - order.begin());
}

FieldSchema read_field(const Place& place, const std::string& name, bool column) {
    FieldSchema field;
    field.name = name;
    field.merge = read_merge(place);
    field.label = place.labels(name);
    if (column) {
        if (field.kind() != Kind::scalar) place.fail_here("a column must be latest, review or highest");
        place.refuse({"once", "draft", "write", "resolve", "transitions"}, "is not for a column");
    }
    read_values(place, field);
    field.searched = place.flag("search");
    field.once = place.flag("once");
    field.draft = place.flag("draft");
    if (field.once && field.kind() != Kind::scalar) place.fail_here("only a scalar field is written once");
    field.writers = place.names("write");
    field.resolvers = place.names("resolve");
    read_order(place, field);
    read_transitions(place, field);
    // The graver of two values stands until somebody with the overview says otherwise.
    if (field.merge == Merge::highest && field.resolvers.empty() && !column) field.resolvers = {"supervisor"};
    return field;
}

}  // namespace kopdarbs
