// Random mutants that were looked at and do the same as the sound program: drawn, told, and not counted. By file, what was changed and the line.

export const equivalent = new Map([
    ['core/record/draft.cpp: break; is ;: break;', 'the last one of its switch'],
    ['core/record/view.cpp: false is true: bool amends = false;', 'read_signed, which alone makes these, always sets it'],
    ['core/record/text_diff.cpp: < is <=: for (std::size_t at = 0; at < text.size();) {',
     'one more token, empty, at the end of both texts: they are equal there as before'],
    ['core/record/json_document.cpp: false is true: if (static_cast<std::size_t>(end_ - at_) < word.size() || std::string_view(at_, word.size()) != word) return false;',
     'nothing was taken, and what begins a word is neither the comma nor the bracket that must follow: refused as before'],
]);
