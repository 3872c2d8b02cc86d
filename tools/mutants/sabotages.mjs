// Small sabotages of the engine. Each must make at least one test or simulation fail (tools/mutate). What is `planted`, the simulation
// is to find alone. `find` stands exactly once in `file`.
// A name says what is true of the sabotaged engine. Two that look like the simulation's are not planted: a join never meets a sibling that
// only this side has, and nothing comes that cannot be applied, while no server is restored from an older file; tests forge both.
export const sabotages = [
    // core/record: the one rule
    {
        name: 'what a writer has not seen is overwritten',
        planted: true, file: 'core/record/state.cpp',
        find: String.raw`(!permanent && change.seen.covers(s.dot)`,
        replace: String.raw`(!permanent && !change.seen.covers(s.dot)`,
    },
    {
        name: 'a write covers the values that it spares', file: 'core/record/state.cpp',
        find: String.raw` && !is_in(op.spares, s.dot)`,
        replace: String.raw``,
    },
    {
        name: 'a change that is here already is applied again',
        planted: true, file: 'core/record/state.cpp',
        find: String.raw`if (context_.covers(change.dot)) return Applied::duplicate;`,
        replace: String.raw``,
    },
    {
        name: 'a change is applied before what it has seen', file: 'core/record/state.cpp',
        find: String.raw`if (!context_.covers(change.seen) || context_.at`,
        replace: String.raw`if (context_.at`,
    },
    {
        name: 'a change is applied before its own replica\'s change before it', file: 'core/record/state.cpp',
        find: String.raw` || context_.at(change.dot.replica) < change.prev) return`,
        replace: String.raw`) return`,
    },
    {
        name: 'a second seal takes the place of the first', file: 'core/record/state.cpp',
        find: String.raw`return path.is(PathKind::seal) || path`,
        replace: String.raw`return path`,
    },
    {
        name: 'a join forgets what only this side has',
        file: 'core/record/state.cpp',
        find: String.raw`!(has_m ? other.context_ : context_).covers(s.dot))`,
        replace: String.raw`!context_.covers(s.dot))`,
    },
    {
        name: 'a join keeps what the other side has overwritten',
        planted: true, file: 'core/record/state.cpp',
        find: String.raw`!(has_m ? other.context_ : context_).covers(s.dot))`,
        replace: String.raw`has_m || !context_.covers(s.dot))`,
    },
    {
        name: 'of two stamps of one change a join keeps the greater', file: 'core/record/state.cpp',
        find: String.raw`else if (w.stamp < it->stamp)`,
        replace: String.raw`else if (it->stamp < w.stamp)`,
    },
    {
        name: 'the stamp that the server gave is not taken over', file: 'core/record/state.cpp',
        find: String.raw`if (it != dots_.end() && it->dot == dot) it->stamp = stamp;`,
        replace: String.raw``,
    },
    {
        name: 'what someone had seen includes what they had not', file: 'core/record/state.cpp',
        find: String.raw`const auto unseen = [&](const Sibling& s) { return !seen.covers(s.dot); };`,
        replace: String.raw`const auto unseen = [](const Sibling&) { return false; };`,
    },
    {
        name: 'a deletion hides a value that it had not seen', file: 'core/record/state.cpp',
        find: String.raw`[&](const Sibling& x) { return seen.covers(x.dot); });`,
        replace: String.raw`[](const Sibling&) { return true; });`,
    },
    {
        name: 'a deletion hides text that it had not seen', file: 'core/record/state.cpp',
        find: String.raw`return entry.second.shown_is_within(seen);`,
        replace: String.raw`return true;`,
    },
    {
        name: 'a value that nobody but an amendment wrote comes back as a register', file: 'core/record/state_codec.cpp',
        find: String.raw`if (met == document.size()) choose_base();`,
        replace: String.raw`choose_base();`,
    },

    // core/record: what is shown, and what waits for a person
    {
        name: 'latest shows the earlier value', file: 'core/record/view.cpp',
        find: String.raw`return x != y ? x < y : a.dot < b.dot;`,
        replace: String.raw`return x != y ? y < x : a.dot < b.dot;`,
    },
    {
        name: 'equal stamps are not decided by the replica', file: 'core/record/view.cpp',
        find: String.raw`return x != y ? x < y : a.dot < b.dot;`,
        replace: String.raw`return x < y;`,
    },
    {
        name: 'highest shows the milder value', file: 'core/record/view.cpp',
        find: String.raw`return x != y ? x < y : older(state, a, b);`,
        replace: String.raw`return x != y ? y < x : older(state, a, b);`,
    },
    {
        name: 'a removal takes away what was added without its knowledge', file: 'core/record/view.cpp',
        find: String.raw`return std::any_of(reg.siblings.begin(), reg`,
        replace: String.raw`return std::all_of(reg.siblings.begin(), reg`,
    },
    {
        name: 'a counter shows a replica\'s first total of two', file: 'core/record/view.cpp',
        find: String.raw`CborReader in(it->siblings.back().value);`,
        replace: String.raw`CborReader in(it->siblings.front().value);`,
    },
    {
        name: 'two grave values wait for nobody', file: 'core/record/view.cpp',
        find: String.raw`return merge == Merge::review || merge == Merge::highest || path`,
        replace: String.raw`return merge == Merge::review || path`,
    },
    {
        name: 'two edits of one line wait for nobody',
        planted: true, file: 'core/record/view.cpp',
        find: String.raw`merge == Merge::highest || path.is(PathKind::line);`,
        replace: String.raw`merge == Merge::highest;`,
    },
    {
        name: 'a deletion against an edit waits for nobody', file: 'core/record/view.cpp',
        find: String.raw`add_deleted_item(list, state);`,
        replace: String.raw``,
    },
    {
        name: 'what nobody signed waits for nobody', file: 'core/record/view.cpp',
        find: String.raw`if (!settled.covers(s.dot))`,
        replace: String.raw`if (false)`,
    },
    {
        name: 'an amendment settles nothing', file: 'core/record/view.cpp',
        find: String.raw`a.seen.covers(s.sibling->dot) && `,
        replace: String.raw`!a.seen.covers(s.sibling->dot) && `,
    },
    {
        name: 'an answer in a signed record closes every other question', file: 'core/record/draft.cpp',
        find: String.raw`left.erase(std::remove(left.begin(), left.end(), item.path), left.end());`,
        replace: String.raw`left.clear();`,
    },
    {
        name: 'an amendment of one field closes questions about others', file: 'core/record/draft.cpp',
        find: String.raw`left.erase(std::remove_if(left.begin(), left.end(), decided), left.end());`,
        replace: String.raw`left.clear();`,
    },
    {
        name: 'a signed record is said to be deleted, and stays', file: 'core/record/draft.cpp',
        find: String.raw`if (value != bool_value(false)) fail(`,
        replace: String.raw`if (false) fail(`,
    },
    {
        name: 'an amendment is not shown', file: 'core/record/view.cpp',
        find: String.raw`{PathKind::amendment, PathKind::seal}`,
        replace: String.raw`{PathKind::seal, PathKind::amendment}`,
    },
    {
        name: 'of two firsts of a field that is written once the later wins', file: 'core/record/view.cpp',
        find: String.raw`return field->once && field->merge == Merge::latest ? Merge::review : field->merge;`,
        replace: String.raw`return field->merge;`,
    },
    {
        name: 'an item is named alike whatever its values are', file: 'core/record/view.cpp',
        find: String.raw`for (const Bytes& name : names) w.raw(name);`,
        replace: String.raw``,
    },
    {
        name: 'two values alone are not counted as waiting', file: 'core/store/shape.cpp',
        find: String.raw`return r.siblings.size() > 1;`,
        replace: String.raw`return r.siblings.size() > 2;`,
    },

    // core/record: drafts, work made again, rules
    {
        name: 'an ordinary write decides what waits', file: 'core/record/draft.cpp',
        find: String.raw`reg != nullptr && reg->differs() && spares_siblings(path, &type_)) {`,
        replace: String.raw`reg != nullptr && !reg->differs() && spares_siblings(path, &type_)) {`,
    },
    {
        name: 'a form that shows an open question decides it when it is saved', file: 'core/record/draft.cpp',
        find: String.raw`spares = contested->second;`,
        replace: String.raw`spares.clear();`,
    },
    {
        name: 'a set given whole takes away what came since', file: 'core/record/draft.cpp',
        find: String.raw`return (s.value == bool_value(true)) == seen_.covers(s.dot); });`,
        replace: String.raw`return s.value == bool_value(true); });`,
    },
    {
        name: 'an edit of a row does not say that the row is there', file: 'core/record/draft.cpp',
        find: String.raw`if (ops_.size() > before || absent) write(`,
        replace: String.raw`if (absent) write(`,
    },
    {
        name: 'work made again covers what its author had not seen', file: 'core/record/reauthor.cpp',
        find: String.raw`change.seen.set(dot.replica, own >= original.prev ? change.prev : std::min(own, change.prev));`,
        replace: String.raw`change.seen = onto.context();`,
    },
    {
        name: 'work made again on an old form covers what the form had not shown', file: 'core/record/reauthor.cpp',
        find: String.raw`own >= original.prev ? change.prev : std::min(own, change.prev)`,
        replace: String.raw`change.prev`,
    },
    {
        name: 'a refused count stays in the next total', file: 'core/record/reauthor.cpp',
        find: String.raw`int_value(total_at(onto, op.path) + step)`,
        replace: String.raw`int_value(total_at(after, op.path))`,
    },
    {
        name: 'of several edits made again, the second lands beside its place', file: 'core/record/reauthor.cpp',
        find: String.raw`shift_onto += static_cast<std::int64_t>(length_of(inserted)) - deleted;`,
        replace: String.raw``,
    },
    {
        name: 'covering two values that differ is no decision', file: 'core/record/rules.cpp',
        find: String.raw`if (first != nullptr && *first != s.value) return true;`,
        replace: String.raw``,
    },
    {
        name: 'a deleted record takes writes', file: 'core/record/rules.cpp',
        find: String.raw`if (!writer.creating && at_seen.deleted() && !writes(change, PathKind::life))`,
        replace: String.raw`if (false)`,
    },
    {
        name: 'a sealed record takes edits', file: 'core/record/rules.cpp',
        find: String.raw`if (is_sealed(at_seen) != amends)`,
        replace: String.raw`if (amends && !is_sealed(at_seen))`,
    },
    {
        name: 'a seal may carry another document than its author saw', file: 'core/record/rules.cpp',
        find: String.raw` || in.item() != document_to_value(shown_document(at_seen_, &type_)))`,
        replace: String.raw`)`,
    },
    {
        name: 'an amendment\'s values are not checked', file: 'core/record/rules.cpp',
        find: String.raw`if (auto problem = valid_whole(*field, value)) return problem;`,
        replace: String.raw``,
    },
    {
        name: 'a deletion may name another version than was seen', file: 'core/record/rules.cpp',
        find: String.raw`if (in.peek() != CborType::map || read_context(in) != change_.seen)`,
        replace: String.raw`if (in.peek() != CborType::map)`,
    },
    {
        name: 'one replica writes another\'s part of a counter', file: 'core/record/rules.cpp',
        find: String.raw` || !(op.path == counter_path(field->name, change_.dot.replica)))`,
        replace: String.raw`)`,
    },

    // core/record: text
    {
        name: 'concurrent insertions stand in the order in which they came', file: 'core/record/text_ids.h',
        find: String.raw`replicas_[a.replica].id() < replicas_[b.replica].id();`,
        replace: String.raw`a.replica < b.replica;`,
    },
    {
        name: 'an edit inside one line says nothing of the line', file: 'core/record/text.cpp',
        find: String.raw`edit.lines.push_back(tree_->line.altered());`,
        replace: String.raw``,
    },
    {
        name: 'an edit over several lines says nothing of those that stay', file: 'core/record/text_lines.cpp',
        find: String.raw`if (line.gone || line.text != before) lines`,
        replace: String.raw`if (line.gone) lines`,
    },
    {
        name: 'what the other side deleted comes back on a join', file: 'core/record/text_join.cpp',
        find: String.raw`if (in_b && !b.take(piece.length, other)) piece.visible = false;`,
        replace: String.raw`if (in_b && !b.take(piece.length, other)) in_a ? void(other = content) : void(piece.visible = false);`,
    },

    // core/log
    {
        name: 'the chain does not hold the change before', file: 'core/log/feed.cpp',
        find: String.raw`input.append(before.bytes()).append(header)`,
        replace: String.raw`input.append(header)`,
    },
    {
        name: 'the chain does not hold the header', file: 'core/log/feed.cpp',
        find: String.raw`input.append(before.bytes()).append(header).append(content.bytes());`,
        replace: String.raw`input.append(before.bytes()).append(content.bytes());`,
    },
    {
        name: 'the salt is not hashed', file: 'core/log/feed.cpp',
        find: String.raw`input.append(salt).append(content);`,
        replace: String.raw`input.append(content);`,
    },
    {
        name: 'a checkpoint does not name its server', file: 'core/log/feed.cpp',
        find: String.raw`message.append(server.bytes()).append(replica.bytes())`,
        replace: String.raw`message.append(replica.bytes())`,
    },
    {
        name: 'a change may have seen itself', file: 'core/log/change.cpp',
        find: String.raw`if (change.seen.at(change.dot.replica) >= change.dot.counter) fail`,
        replace: String.raw`if (change.seen.at(change.dot.replica) > change.dot.counter) fail`,
    },
    {
        name: 'a content may have another size than its header says', file: 'core/log/change.cpp',
        find: String.raw`if (content_bytes->size() != content_size) fail(`,
        replace: String.raw`if (false) fail(`,
    },

    // core/base
    {
        name: 'an older change added to a context lowers it', file: 'core/base/dot.cpp',
        find: String.raw`if (at(dot.replica) < dot.counter) set(`,
        replace: String.raw`set(`,
    },
    {
        name: 'two changes within a millisecond have one stamp', file: 'core/base/dot.cpp',
        find: String.raw`last_ = last_ < wall ? wall : last_.next();`,
        replace: String.raw`last_ = last_ < wall ? wall : last_;`,
    },
    {
        name: 'a stamp\'s full counter starts again without carrying', file: 'core/base/dot.h',
        find: String.raw`return {packed + 1}; }`,
        replace: String.raw`return {(packed & ~std::uint64_t{0xffff}) | ((packed + 1) & 0xffff)}; }`,
    },
    {
        name: 'an integer in a longer form is read', file: 'core/base/cbor.cpp',
        find: String.raw`if (h.major != 7 && !shortest) corrupt(`,
        replace: String.raw`if (false) corrupt(`,
    },
    {
        name: 'map keys out of order are read', file: 'core/base/cbor.cpp',
        find: String.raw`if (!last.empty() && !(last < key)) corrupt(`,
        replace: String.raw`if (!last.empty() && last == key) corrupt(`,
    },
    {
        name: 'text that is not UTF-8 is read', file: 'core/base/cbor.cpp',
        find: String.raw`if (!known_ && !is_utf8(value)) corrupt(`,
        replace: String.raw`if (false) corrupt(`,
    },
    {
        name: 'nesting has twice its bound', file: 'core/base/cbor.cpp',
        find: String.raw`if (depth > kMaxCborDepth) corrupt(`,
        replace: String.raw`if (depth > 2 * kMaxCborDepth) corrupt(`,
    },
    {
        name: 'half of a surrogate pair is UTF-8', file: 'core/base/bytes.cpp',
        find: String.raw`on(0xed, 0xed, kAccept, kAfterEd);`,
        replace: String.raw`on(0xed, 0xed, kAccept, kTwoMore);`,
    },

    {
        name: 'an overlong form of two octets is UTF-8', file: 'core/base/bytes.cpp',
        find: String.raw`if ((two & ~(eight << 3 | eight << 4 | eight << 5 | eight << 6)) != 0) break;`,
        replace: String.raw``,
    },
    {
        name: 'a character of two octets ends with its word', file: 'core/base/bytes.cpp',
        find: String.raw`if (follows != (two << 8 | begun)) break;`,
        replace: String.raw`if (follows != two << 8) break;`,
    },

    // core/schema
    {
        name: 'what only some roles write, every writer writes', file: 'core/schema/write_rules.cpp',
        find: String.raw`!holds_any(writer, field.writers.empty() ? writers_here(writer) : field.writers)) {`,
        replace: String.raw`!holds_any(writer, writers_here(writer))) {`,
    },
    {
        name: 'who is let in for one field writes all', file: 'core/schema/type_reader.cpp',
        find: String.raw`field.judged = partial;`,
        replace: String.raw`field.judged = false;`,
    },
    {
        name: 'no transition is judged', file: 'core/schema/write_rules.cpp',
        find: String.raw`return judge_transition(writer, field, before, after);`,
        replace: String.raw`return std::nullopt;`,
    },
    {
        name: 'a transition needs no record that allows it', file: 'core/schema/write_rules.cpp',
        find: String.raw`if (!transition.requires_record) return true;`,
        replace: String.raw`return true;`,
    },
    {
        name: 'what is written once is written again', file: 'core/schema/write_rules.cpp',
        find: String.raw`if (!resolves && field.once && !is_null(before))`,
        replace: String.raw`if (false)`,
    },
    {
        name: 'what was sent is changed like a draft', file: 'core/schema/write_rules.cpp',
        find: String.raw`if (!resolves && field.draft && !is_draft(writer))`,
        replace: String.raw`if (false)`,
    },
    {
        name: 'whoever writes a risk decides between two', file: 'core/schema/write_rules.cpp',
        find: String.raw`if (!field.resolvers.empty()) return holds_any(writer, field.resolvers);`,
        replace: String.raw``,
    },
    {
        name: 'everybody is the author', file: 'core/schema/write_rules.cpp',
        find: String.raw`return writer.creating || writer.creator == writer.user;`,
        replace: String.raw`return true;`,
    },
    {
        name: 'an organiser reads casework', file: 'core/schema/roles.json',
        find: String.raw`"of_file": ["file", "visits", "means"],`,
        replace: String.raw`"of_file": ["file", "visits", "casework", "means"],`,
    },
    {
        name: 'a case worker writes the means assessment', file: 'core/schema/types/material_assessment.json',
        find: String.raw`"write": ["organiser"],`,
        replace: String.raw`"write": ["organiser", "case_worker"],`,
    },
    {
        name: 'a number may be one above its maximum', file: 'core/schema/validate.cpp',
        find: String.raw`if (maximum && number > *maximum) return`,
        replace: String.raw`if (maximum && number > *maximum + 1) return`,
    },
    {
        name: 'a length counts octets', file: 'core/schema/validate.cpp',
        find: String.raw`const std::uint64_t length = utf8_length(text);`,
        replace: String.raw`const std::uint64_t length = text.size();`,
    },
    {
        name: 'every February has 29 days', file: 'core/schema/formats.cpp',
        find: String.raw`(leap && month == 2 ? 1 : 0);`,
        replace: String.raw`(month == 2 ? 1 : 0);`,
    },
    {
        name: 'a doubtful personal code blocks', file: 'core/schema/formats.cpp',
        find: String.raw`"date or check digit does not agree, please check"}, true};`,
        replace: String.raw`"date or check digit does not agree, please check"}, false};`,
    },
    {
        name: 'a published field disappears', file: 'core/schema/schema_set.cpp',
        find: String.raw`if (now == nullptr) refuse(before.name(), old.name, "a published field may not disappear");`,
        replace: String.raw`if (now == nullptr) continue;`,
    },

    // core/store: saving and finding
    {
        name: 'a save is acknowledged before it is on the disk',
        planted: true, file: 'core/store/database.cpp',
        find: String.raw`"PRAGMA synchronous=FULL"`,
        replace: String.raw`"PRAGMA synchronous=NORMAL"`,
    },
    {
        name: 'a save looks before it locks', file: 'core/store/database.cpp',
        find: String.raw`Query(db, "BEGIN IMMEDIATE").run();`,
        replace: String.raw`Query(db, "BEGIN").run();`,
    },
    {
        name: 'what failed in the middle is kept', file: 'core/store/database.cpp',
        find: String.raw`if (outermost_ && !done_) db_.roll_back();`,
        replace: String.raw`if (outermost_ && !done_) Query(db_, "COMMIT").run();`,
    },
    {
        name: 'another process\'s saves are not counted here', file: 'core/store/heads.cpp',
        find: String.raw`if (version == version_) return row_;`,
        replace: String.raw`if (version_ != kNoVersion) return row_;`,
    },
    {
        name: 'changes after the heads are not read', file: 'core/store/heads.cpp',
        find: String.raw`while (since.next())`,
        replace: String.raw`while (false)`,
    },
    {
        name: 'the hour of a change after the heads is not read', file: 'core/store/heads.cpp',
        find: String.raw`    row_.stamp = std::max(row_.stamp, stamp);
`,
        replace: String.raw`    (void)stamp;
`,
    },
    {
        name: 'numbers of an undone transaction stay given', file: 'core/store/heads.cpp',
        find: String.raw`if (!committed) version_ = kNoVersion;`,
        replace: String.raw`(void)committed;`,
    },
    {
        name: 'a verdict is not written beside the heads', file: 'core/store/heads.cpp',
        find: String.raw`if (!told_ && row_.counter`,
        replace: String.raw`if (row_.counter`,
    },
    {
        name: 'what an undone transaction indexed stays indexed', file: 'core/store/heads.cpp',
        find: String.raw`    version_ = kNoVersion;  // the transaction around this may yet be undone
`,
        replace: String.raw``,
    },
    {
        name: 'the server\'s time that was heard is not written', file: 'core/store/heads.cpp',
        find: String.raw`    now.heard = server;
    told_ = true;`,
        replace: String.raw`    now.heard = server;`,
    },
    {
        name: 'a batch that failed in part is committed', file: 'core/store/store.cpp',
        find: String.raw`if (store_.undone_ || !store_.db.in_transaction())`,
        replace: String.raw`if (!store_.db.in_transaction())`,
    },
    {
        name: 'the audit does not look at a feed\'s head', file: 'core/store/verify.cpp',
        find: String.raw`has_head != (known.counter != 0) ||`,
        replace: String.raw`false &&`,
    },
    {
        name: 'the audit does not count a vault\'s changes', file: 'core/store/verify.cpp',
        find: String.raw`if (q.one().unsigned_integer(0) != last || q.unsigned_integer(1) != last) damage(`,
        replace: String.raw`if (false) damage(`,
    },
    {
        name: 'a vault that a newer version made is opened', file: 'core/store/database.cpp',
        find: String.raw`if (version() > count) fail(`,
        replace: String.raw`if (false) fail(`,
    },
    {
        name: 'what was written between refused words lands inside another word', file: 'core/record/reauthor.cpp',
        find: String.raw`if (from < run->before) {`,
        replace: String.raw`if (false) {`,
    },
    {
        name: 'a save that nobody could read again, of one device too many, is kept', file: 'core/store/save.cpp',
        find: String.raw`if (now.context().entries().size() > kMaxReplicasInContext) fail(`,
        replace: String.raw`if (false) fail(`,
    },
    {
        name: 'what another process was assigned is not seen here', file: 'core/store/store.cpp',
        find: String.raw`if (version != scopes_version_) {`,
        replace: String.raw`if (scopes_version_ < 0) {`,
    },
    {
        name: 'observers hear of what was undone', file: 'core/store/store.cpp',
        find: String.raw`store_.touched_.clear();`,
        replace: String.raw``,
    },
    {
        name: 'the last record that was indexed is not indexed again', file: 'core/store/store.cpp',
        find: String.raw`if (no <= heads.indexed()) Query(`,
        replace: String.raw`if (no < heads.indexed()) Query(`,
    },
    {
        name: 'one signs what one has not read', file: 'core/store/vault.cpp',
        find: String.raw`if (!d.seen().covers(state.context()))`,
        replace: String.raw`if (false)`,
    },
    {
        name: 'an edit of a text that is no longer remembered lands anywhere', file: 'core/store/save.cpp',
        find: String.raw`if (oldest && kept >= kPastTextsKept && context != version->seen)`,
        replace: String.raw`if (false)`,
    },
    {
        name: 'a form that was open across a refusal cannot be saved', file: 'core/store/save.cpp',
        find: String.raw`version.seen.set(enrolment.replica, q.bind(record->own).bind(own).one().unsigned_integer(0));`,
        replace: String.raw``,
    },
    {
        name: 'a form saved late is judged on what its user had not seen', file: 'core/store/save.cpp',
        find: String.raw`judge_change(change, on_all ? was : was.within(change.seen), &type,`,
        replace: String.raw`judge_change(change, was, &type,`,
    },
    {
        name: 'verify does not recompute the chain', file: 'core/store/verify.cpp',
        find: String.raw`if (hash.bytes() != q.bytes(4)) damage(`,
        replace: String.raw`if (false) damage(`,
    },
    {
        name: 'verify does not compare a record with its state', file: 'core/store/verify.cpp',
        find: String.raw`if (shape.doc != q.bytes(3) || shape.meta != q.bytes(4)) damage(`,
        replace: String.raw`if (false) damage(`,
    },
    {
        name: 'an altered key file is not noticed', file: 'core/vault/slots.cpp',
        find: String.raw`if (!equal_constant_time(crypto.sha256(body).bytes(), bytes.substr(body.size()))) damaged();`,
        replace: String.raw``,
    },
    {
        name: 'the old secret still opens the vault', file: 'core/vault/slots.cpp',
        find: String.raw`if (slot.kind != kSecretSlot) kept.emplace_back(slot.whole);`,
        replace: String.raw`kept.emplace_back(slot.whole);`,
    },
    {
        name: 'a secret of half the strength is taken', file: 'core/vault/secret.cpp',
        find: String.raw`if (secret_bits(secret) < kMinSecretBits)`,
        replace: String.raw`if (secret_bits(secret) < kMinSecretBits / 2)`,
    },

    // core/store: what a server says
    {
        name: 'a cursor passes over what could not be applied',
        file: 'core/store/replica.cpp',
        find: String.raw`const Cursor cursor = passed_over ? Cursor() : p.cursor;`,
        replace: String.raw`const Cursor cursor = p.cursor;`,
    },
    {
        name: 'a record with a gap is not asked for', file: 'core/store/replica.cpp',
        find: String.raw`if (applied == Applied::early) Query(`,
        replace: String.raw`if (false) Query(`,
    },
    {
        name: 'what was refused is not kept as a letter',
        planted: true, file: 'core/store/replica.cpp',
        find: String.raw`if (v.code == VerdictCode::accepted && v.stamp.packed == 0) return;`,
        replace: String.raw`if (v.code != VerdictCode::again) return;`,
    },
    {
        name: 'what followed a refused change is not made again',
        planted: true, file: 'core/store/replica.cpp',
        find: String.raw`if (to_reauthor.count(original.dot.counter) != 0) reauthor(`,
        replace: String.raw`if (false) reauthor(`,
    },
    {
        name: 'a change saved while its line was being refused is not made again',
        planted: true, file: 'core/store/replica.cpp',
        find: String.raw`supersede(original.dot.counter);`,
        replace: String.raw``,
    },
    {
        name: 'what is shown counts as confirmed although something later is unsent', file: 'core/store/replica.cpp',
        find: String.raw`if (settled && reshown.count(no) == 0) {`,
        replace: String.raw`if (reshown.count(no) == 0) {`,
    },
    {
        name: 'changes of this device that it never made are believed', file: 'core/store/replica.cpp',
        find: String.raw`if (theirs.context().at(store.enrolment.replica) > own_counter)`,
        replace: String.raw`if (false)`,
    },
    {
        name: 'an assignment that ended goes on here', file: 'core/store/replica.cpp',
        find: String.raw`Query(store.db, "UPDATE scope SET held = 0").run();`,
        replace: String.raw``,
    },
    {
        name: 'the server\'s nonce is not remembered', file: 'core/store/replica.cpp',
        find: String.raw`store.set_setting("nonce", in.nonce);`,
        replace: String.raw``,
    },

    // sync/protocol
    {
        name: 'a decision that the server did not sign is believed', file: 'sync/protocol/client_session.cpp',
        find: String.raw`if (!crypto_.verify(side_.server_key(),`,
        replace: String.raw`if (false && !crypto_.verify(side_.server_key(),`,
    },
    {
        name: 'a decision about another replica is believed', file: 'sync/protocol/client_session.cpp',
        find: String.raw`if (about != side_.replica()) fail(`,
        replace: String.raw`if (false) fail(`,
    },
    {
        name: 'a server that promises more and sends nothing keeps the device for ever', file: 'sync/protocol/client_session.cpp',
        find: String.raw`done_ = !more || idle_rounds_ >= kMaxIdleRounds;`,
        replace: String.raw`done_ = !more;`,
    },
    {
        name: 'a device that pushed is taken to have what others pushed before', file: 'sync/protocol/server_session.cpp',
        find: String.raw` && cursor.cursor == a.before) {`,
        replace: String.raw`) {`,
    },
    {
        name: 'a run of verdicts that are not alike is read', file: 'sync/protocol/messages.cpp',
        find: String.raw`if (v.count > 1 && (v.code != VerdictCode::accepted || v.stamp.packed != 0)) corrupt(`,
        replace: String.raw`if (false) corrupt(`,
    },
    {
        name: 'a body is not compared with its digest', file: 'sync/protocol/http_signature.cpp',
        find: String.raw`if (!digest || *digest != content_digest(request, crypto)) return false;`,
        replace: String.raw`if (!digest) return false;`,
    },
    {
        name: 'a signature need not cover the path', file: 'sync/protocol/http_signature.cpp',
        find: String.raw`{"@method", "@path", "content-digest"};`,
        replace: String.raw`{"@method", "content-digest"};`,
    },
    {
        name: 'a signature is not verified', file: 'sync/protocol/http_signature.cpp',
        find: String.raw`return signature && base && crypto.verify(key, *base, *signature);`,
        replace: String.raw`return signature && base;`,
    },

    // sync/server: what is accepted
    {
        name: 'a checkpoint\'s signature is not checked', file: 'sync/server/prepare.cpp',
        find: String.raw`if (!crypto.verify(origin.device.key,`,
        replace: String.raw`if (false && !crypto.verify(origin.device.key,`,
    },
    {
        name: 'a device pushes another\'s changes', file: 'sync/server/prepare.cpp',
        find: String.raw`p.change.dot.replica != origin.device.replica || `,
        replace: String.raw``,
    },
    {
        name: 'a device signs for another user', file: 'sync/server/prepare.cpp',
        find: String.raw`if (prepared.change.author != origin.device.user) return`,
        replace: String.raw`if (false) return`,
    },
    {
        name: 'the server judges no rule', file: 'sync/server/prepare.cpp',
        find: String.raw`judge_change(change, at_seen, type, writer, nullptr)) return`,
        replace: String.raw`judge_change(change, at_seen, type, writer, nullptr); false) return`,
    },
    {
        name: 'a change may be dated in the future', file: 'sync/server/prepare.cpp',
        find: String.raw`std::min<std::uint64_t>(wall < 0 ? 0 : static_cast<std::uint64_t>(wall), origin.received_ms);`,
        replace: String.raw`wall < 0 ? 0 : static_cast<std::uint64_t>(wall);`,
    },
    {
        name: 'a wrong clock is not corrected', file: 'sync/server/prepare.cpp',
        find: String.raw`static_cast<std::int64_t>(change.wall_ms) - origin.offset_ms;`,
        replace: String.raw`static_cast<std::int64_t>(change.wall_ms);`,
    },
    {
        name: 'the time that a body takes is laid at the clock\'s door', file: 'sync/server/device_session.cpp',
        find: String.raw`decided.server_ms - std::min(waited_ms_, decided.server_ms);`,
        replace: String.raw`decided.server_ms;`,
    },
    {
        name: 'a body\'s time on its way is not measured', file: 'sync/server/https_connection.cpp',
        find: String.raw`if (ec) co_return refusal_of(ec);
        head_here_ = steady_clock::now();`,
        replace: String.raw`if (ec) co_return refusal_of(ec);
        head_here_ = steady_clock::now() + seconds(1);`,
    },
    {
        name: 'a request is sent again with the time of its first attempt', file: 'sync/client/engine.cpp',
        find: String.raw`compress(session.next_request())`,
        replace: String.raw`compress([&] { static Bytes first; return attempt == 0 ? first = session.next_request() : first; }())`,
    },
    {
        name: 'a device may have heard the future', file: 'sync/server/prepare.cpp',
        find: String.raw`std::min(change.heard, Stamp::from_ms(origin.received_ms));`,
        replace: String.raw`change.heard;`,
    },
    {
        name: 'a change may be dated before what its author had heard', file: 'sync/server/prepare.cpp',
        find: String.raw`return std::max(stamp, heard);`,
        replace: String.raw`return stamp;`,
    },
    {
        name: 'a feed need not go on where it was',
        planted: true, file: 'sync/server/ingest.cpp',
        find: String.raw`if (!joined) fail(`,
        replace: String.raw`if (false) fail(`,
    },
    {
        name: 'a number may be used for two changes', file: 'sync/server/ingest.cpp',
        find: String.raw`prepared.change.dot.counter); known && known->code != VerdictCode::held)`,
        replace: String.raw`prepared.change.dot.counter); false)`,
    },
    {
        name: 'a repeated change is judged anew',
        planted: true, file: 'sync/server/ingest.cpp',
        find: String.raw`for (std::size_t i = 0; i < first_new; ++i) repeat(feed.changes[i]);`,
        replace: String.raw`for (std::size_t i = 0; i < first_new; ++i) take(feed.changes[i], scope->no, grant);`,
    },
    {
        name: 'a repeated verdict is accepted, whatever it was',
        planted: true, file: 'sync/server/ingest.cpp',
        find: String.raw`v.code = dot->code;`,
        replace: String.raw``,
    },
    {
        name: 'a repeated verdict forgets the stamp', file: 'sync/server/ingest.cpp',
        find: String.raw`v.stamp = row.stamp == prepared.change.stamp ? Stamp{} : row.stamp;`,
        replace: String.raw`v.stamp = Stamp{};`,
    },
    {
        name: 'a change that came before what it has seen is refused', file: 'sync/server/ingest.cpp',
        find: String.raw`return Outcome{VerdictCode::held, "it has seen what is not here yet"};`,
        replace: String.raw`return Outcome{VerdictCode::refused, "it has seen what is not here yet"};`,
    },
    {
        name: 'what followed a refused change is refused', file: 'sync/server/ingest.cpp',
        find: String.raw`return Outcome{VerdictCode::again, "an earlier change`,
        replace: String.raw`return Outcome{VerdictCode::refused, "an earlier change`,
    },
    {
        name: 'a record is written through another scope', file: 'sync/server/ingest.cpp',
        find: String.raw`if (row && row->scope != scope_no) return`,
        replace: String.raw`if (false) return`,
    },
    {
        name: 'a change is judged on what its author had not seen', file: 'sync/server/prepare.cpp',
        find: String.raw`return judge_on(change, state_at(storage, record, change), origin, grant, exists);`,
        replace: String.raw`return judge_on(change, now, origin, grant, exists);`,
    },
    {
        name: 'an evaluation of one case closes another', file: 'sync/server/ingest.cpp',
        find: String.raw`return has(field, value) && has(link, id);`,
        replace: String.raw`return has(field, value);`,
    },
    {
        name: 'a waiting change is decided in another device\'s name', file: 'sync/server/ingest.cpp',
        find: String.raw`if (row.replica != origin_.device.replica_no) continue;`,
        replace: String.raw``,
    },
    {
        name: 'any number of changes may wait', file: 'sync/server/ingest.cpp',
        find: String.raw`storage_.held_of(replica) >= kMaxHeldPerReplica)`,
        replace: String.raw`storage_.held_of(replica) > 100 * kMaxHeldPerReplica)`,
    },
    {
        name: 'a scope\'s order has gaps', file: 'sync/server/ingest.cpp',
        find: String.raw`head = {head.seq + 1, env_.crypto.sha256(link)};`,
        replace: String.raw`head = {head.seq + 2, env_.crypto.sha256(link)};`,
    },
    {
        name: 'a scope\'s hash does not hold the change', file: 'sync/server/ingest.cpp',
        find: String.raw`link.append(prepared.hash.bytes());`,
        replace: String.raw``,
    },

    // sync/server: who is who, and who reads what
    {
        name: 'an older nonce is taken',
        planted: true, file: 'sync/server/device_session.cpp',
        find: String.raw`} else if (request.nonce != device.nonce_before) {`,
        replace: String.raw`} else if (false) {`,
    },
    {
        name: 'a copied vault that takes turns is not noticed',
        planted: true, file: 'sync/server/device_session.cpp',
        find: String.raw`if (storage.last_counter_of(device.replica_no) > request.counter)`,
        replace: String.raw`if (false)`,
    },
    {
        name: 'a decision does not follow the one before', file: 'sync/server/device_session.cpp',
        find: String.raw`if (!last.body.empty()) now.before =`,
        replace: String.raw`if (false) now.before =`,
    },
    {
        name: 'a cursor\'s hash is not compared', file: 'sync/server/device_session.cpp',
        find: String.raw`return found = row.rolling == cursor.hash; });`,
        replace: String.raw`return found = true; });`,
    },
    {
        name: 'the digest of a device\'s cursors is not compared', file: 'sync/server/device_session.cpp',
        find: String.raw`else if (digest_of_cursors(crypto, *remembered) == request.cursors_digest)`,
        replace: String.raw`else if (true)`,
    },
    {
        name: 'what was written while a snapshot was taken is skipped', file: 'sync/server/device_session.cpp',
        find: String.raw`if (!more) page.cursor = resume->base;`,
        replace: String.raw`if (!more) page.cursor = scope.head;`,
    },
    {
        name: 'others do not hear which stamp the server gave', file: 'sync/server/device_session.cpp',
        find: String.raw`e.stamp = row.stamp == decode_change(row.change.header, std::nullopt).stamp ? Stamp{} : row.stamp;`,
        replace: String.raw`e.stamp = Stamp{};`,
    },
    {
        name: 'a record is given to whoever asks for it by its id', file: 'sync/server/device_session.cpp',
        find: String.raw`if (!readable) return std::nullopt;`,
        replace: String.raw``,
    },
    {
        name: 'history is given to whoever asks for it', file: 'sync/server/server.cpp',
        find: String.raw`if (!readable) fail(ErrorCode::not_found,`,
        replace: String.raw`if (!row) fail(ErrorCode::not_found,`,
    },
    {
        name: 'a request is not checked against its device\'s key', file: 'sync/server/server.cpp',
        find: String.raw`if (!device || !verify_request(request, device->key, p.env.crypto))`,
        replace: String.raw`if (!device)`,
    },
    {
        name: 'enrolment codes may be guessed without bound', file: 'sync/server/server.cpp',
        find: String.raw`if (failed_codes_ >= kMaxFailedCodes) fail(`,
        replace: String.raw`if (false) fail(`,
    },
    {
        name: 'an assignment\'s day comes at the next start', file: 'sync/server/server.cpp',
        find: String.raw`if (grants_day_ != day) grants_.clear();`,
        replace: String.raw``,
    },
    {
        name: 'an assignment holds on any day', file: 'sync/server/directory.cpp',
        find: String.raw`if (role == nullptr || !is_active(a, today)) continue;`,
        replace: String.raw`if (role == nullptr) continue;`,
    },
    {
        name: 'an assignment ends a day early', file: 'sync/server/directory.cpp',
        find: String.raw`return a.until.size() == 10 && today <= a.until;`,
        replace: String.raw`return a.until.size() == 10 && today < a.until;`,
    },

    // sync/server: the store and its audit
    {
        name: 'an enrolment code works twice', file: 'sync/server/storage/sqlite.cpp',
        find: String.raw` AND used_ms = 0`,
        replace: String.raw``,
    },
    {
        name: 'an enrolment code never expires', file: 'sync/server/storage/sqlite.cpp',
        find: String.raw`AND expires_ms > ?`,
        replace: String.raw`AND (expires_ms > ? OR used_ms = 0)`,
    },
    {
        name: 'a job that failed is kept with its group', file: 'sync/server/committer.cpp',
        find: String.raw`storage_->undo_to_savepoint();`,
        replace: String.raw`storage_->release();`,
    },
    {
        name: 'a group that could not be committed is answered as if it had been',
        planted: true, file: 'sync/server/committer.cpp',
        find: String.raw`if (!w->error) w->error = error;`,
        replace: String.raw`;`,
    },
    {
        name: 'the server\'s verify does not compare a record with its changes', file: 'sync/server/verify.cpp',
        find: String.raw`if (shape.doc != row.doc || shape.meta != row.meta) damage(`,
        replace: String.raw`if (false) damage(`,
    },
    {
        name: 'the server\'s verify does not check its decisions\' signatures', file: 'sync/server/verify.cpp',
        find: String.raw`if (!crypto_.verify(identity_.signing.public_key,`,
        replace: String.raw`if (false && !crypto_.verify(identity_.signing.public_key,`,
    },

    // sync/client and sync/frame
    {
        name: 'nothing is sent twice', file: 'sync/client/engine.cpp',
        find: String.raw`if (e.code() != ErrorCode::network || last) throw;`,
        replace: String.raw`throw;`,
    },
    {
        name: 'a server that is busy is not asked again', file: 'sync/client/engine.cpp',
        find: String.raw`return status == 429 || status == 502 || status == 503 || status == 504;`,
        replace: String.raw`return false;`,
    },
    {
        name: 'Retry-After is not honoured', file: 'sync/client/engine.cpp',
        find: String.raw`options.wait(std::min(std::max(at_least, delay / 2 + jitter), kLongestRetryMs));`,
        replace: String.raw`options.wait(std::min(delay / 2 + jitter, kLongestRetryMs));`,
    },
    {
        name: 'progress is not told', file: 'sync/client/engine.cpp',
        find: String.raw`if (options.progress) options.progress(`,
        replace: String.raw`if (false) options.progress(`,
    },
    {
        name: 'a frame may say any size', file: 'sync/frame/compression.cpp',
        find: String.raw` || size > max_bytes ||`,
        replace: String.raw` ||`,
    },
    {
        name: 'a frame that was damaged on its way is believed',
        planted: true, file: 'sync/frame/compression.cpp',
        find: String.raw`ZSTD_c_checksumFlag, 1);`,
        replace: String.raw`ZSTD_c_checksumFlag, 0);`,
    },
    // sync/protocol: changes by columns
    {
        name: 'a small message may become a large one', file: 'sync/protocol/budget.h',
        find: String.raw`if (octets > left_) fail(ErrorCode::corrupt, "message: more than a message may hold");`,
        replace: String.raw``,
    },
    {
        name: 'a header of another shape is taken for a usual one', file: 'sync/protocol/change_columns.cpp',
        find: String.raw`if (encode_header(read, change.content.size()) == change.header && !read.group) return read;`,
        replace: String.raw`return read;`,
    },
    {
        name: 'a path that nobody could read gets a column', file: 'sync/protocol/content_columns.cpp',
        find: String.raw`    CborReader(path).skip();`,
        replace: String.raw``,
    },
    {
        name: 'what a change is expected to have seen leaves out the one before', file: 'sync/protocol/header_columns.cpp',
        find: String.raw`    own.add(change.dot);`,
        replace: String.raw``,
    },
    {
        name: 'what all have seen is not expected of anybody', file: 'sync/protocol/header_columns.cpp',
        find: String.raw`<= kMaxReplicasInContext) all = std::move(joined);`,
        replace: String.raw`<= 0) all = std::move(joined);`,
    },
    {
        name: 'what all have seen grows without end', file: 'sync/protocol/header_columns.cpp',
        find: String.raw`    if (joined.entries().size() <= kMaxReplicasInContext) all`,
        replace: String.raw`    all`,
    },
    {
        name: 'headers made from columns cost nothing', file: 'sync/protocol/header_columns.cpp',
        find: String.raw`    budget.spend(header.size());`,
        replace: String.raw``,
    },
    {
        name: 'two large contexts are joined by their order alone', file: 'core/base/dot.cpp',
        find: String.raw`joined.emplace_back(a->first, std::max(a->second, b->second));`,
        replace: String.raw`joined.emplace_back(a->first, a->second);`,
    },
    {
        name: 'a seal is judged without the texts', file: 'sync/server/prepare.cpp',
        find: String.raw`bool texts = writes(PathKind::seal) || writes(PathKind::amendment) || writes(PathKind::life);`,
        replace: String.raw`bool texts = writes(PathKind::life);`,
    },
    {
        name: 'contexts by columns may be out of order', file: 'sync/protocol/header_columns.cpp',
        find: String.raw`if (counter == 0 || (i > 0 && !(context.entries().back().first < replicas_[number])))`,
        replace: String.raw`if (false)`,
    },
    {
        name: 'columns may hold more than their rows', file: 'sync/protocol/column.h',
        find: String.raw`if (!rest_.empty()) fail(ErrorCode::corrupt, "message: a column with more than its rows");`,
        replace: String.raw``,
    },
    {
        name: 'a number of a column may be written long', file: 'sync/protocol/column.h',
        find: String.raw` || (shift > 0 && octet == 0)) break;`,
        replace: String.raw`) break;`,
    },
    {
        name: 'a change that no entry names is dropped', file: 'sync/protocol/entries.cpp',
        find: String.raw`if (kinds.size() != changes.size() + states) corrupt("other entries than their kinds say");`,
        replace: String.raw``,
    },
    {
        name: 'text that nobody could read again is kept', file: 'core/record/draft.cpp',
        find: String.raw`if (!can_be_read(path, value)) invalid(`,
        replace: String.raw`if (false) invalid(`,
    },
    {
        name: 'what is made again writes whole words anew', file: 'core/record/reauthor.cpp',
        find: String.raw`for (const Splice& s : diff_letters(before, after)) {`,
        replace: String.raw`for (const Splice& s : diff_words(before, after)) {`,
    },
    {
        name: 'what is made again takes away only up to where another wrote', file: 'core/record/reauthor.cpp',
        find: String.raw`while (run != runs.end() && run->before < to);`,
        replace: String.raw`while (false);`,
    },
    {
        name: 'by letters, a scalar value may be split', file: 'core/record/text_diff.cpp',
        find: String.raw`while (splits(gone, head) || splits(come, head)) --head;`,
        replace: String.raw``,
    },
    {
        name: 'a delete is judged without the texts', file: 'sync/server/prepare.cpp',
        find: String.raw`if (texts || !state.has_delete()) return state;`,
        replace: String.raw`return state;`,
    },
    {
        name: 'an edit that was worked out is stored over what came meanwhile', file: 'sync/server/ingest.cpp',
        find: String.raw`prepared.edits->is_of(*row)`,
        replace: String.raw`row->no == prepared.edits->before.no`,
    },
    {
        name: 'a record that was worked out is made again over one that came meanwhile', file: 'sync/server/ingest.cpp',
        find: String.raw`if (!row && prepared.creates) {`,
        replace: String.raw`if (prepared.creates) {`,
    },
    {
        name: 'an edit is worked out though an accepted change stands before it', file: 'sync/server/prepare.cpp',
        find: String.raw`if (mine != change.prev || change.seen`,
        replace: String.raw`if (mine < change.prev || change.seen`,
    },
    {
        name: 'an edit is worked out for another scope\'s record', file: 'sync/server/prepare.cpp',
        find: String.raw`row->scope != scope->no || row->type != change.type) return`,
        replace: String.raw`row->type != change.type) return`,
    },
    {
        name: 'the log is never moved into the file', file: 'core/store/database.cpp',
        find: String.raw`            (void)checkpoint(writer);
            return;`,
        replace: String.raw`            return;`,
    },
    {
        name: 'a log is lengthened at each save', file: 'core/store/database.cpp',
        find: String.raw`if (pages_ < kLogPagesAhead || grown_ > kLogPagesAhead / 2 || needed <= length_) return;`,
        replace: String.raw``,
    },
    {
        name: 'a log is lengthened after a large commit', file: 'core/store/database.cpp',
        find: String.raw`grown_ > kLogPagesAhead / 2 || `,
        replace: String.raw``,
    },
    {
        name: 'a log is lengthened over its own pages', file: 'core/store/database.cpp',
        find: String.raw`static_cast<int>(zeros.size()), length_) != SQLITE_OK`,
        replace: String.raw`static_cast<int>(zeros.size()), length_ - std::ssize(zeros)) != SQLITE_OK`,
    },
    {
        name: 'a background that lags is not waited for', file: 'core/store/database.cpp',
        find: String.raw`if (pages < kLogPagesAtMost) return;`,
        replace: String.raw`return;`,
    },
    {
        name: 'a vault closes under its background', file: 'core/store/database.cpp',
        find: String.raw`if (state_ == State::running) background_->finish();`,
        replace: String.raw``,
    },
    {
        name: 'sets beside a document may be in any order', file: 'core/record/state_codec.cpp',
        find: String.raw`if (!sets.empty() && !(sets.back() < field)) corrupt("sets out of order");`,
        replace: String.raw``,
    },
    {
        name: 'a set beside a document may hold an element twice', file: 'core/record/state_codec.cpp',
        find: String.raw`if (std::adjacent_find(elements.begin(), elements.end()) != elements.end()) corrupt("an element twice");`,
        replace: String.raw``,
    },
    {
        name: 'a text that a change altered is encoded as it was', file: 'core/record/text.cpp',
        find: String.raw`    tree_->line.forget();
    structure_.clear();`,
        replace: String.raw`    tree_->line.forget();`,
    },
    {
        name: 'a text that its author altered is encoded as it was', file: 'core/record/text.cpp',
        find: String.raw`    structure_.clear();
    Sequence& sequence`,
        replace: String.raw`    Sequence& sequence`,
    },
    {
        name: 'a text that was joined is encoded as it was', file: 'core/record/text_join.cpp',
        find: String.raw`    structure_.clear();
`,
        replace: String.raw``,
    },
    {
        name: 'what is confirmed is forgotten while something is unsent', file: 'core/store/replica.cpp',
        find: String.raw`reshown.empty() && store.heads.unsent_after(0) == 0) {`,
        replace: String.raw`reshown.empty()) {`,
    },
];
