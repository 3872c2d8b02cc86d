// Random small mutants of C++ text: where one operator, bound, return or call is another. One seed decides which.

import {equivalent} from './equivalent.mjs';

/** The text with comments, strings and preprocessor lines blanked, offsets kept. */
function code_only(text) {
    const blank = (match) => match.replace(/[^\n]/g, ' ');
    return text.replace(/\/\/[^\n]*|\/\*[^]*?\*\/|R"\([^]*?\)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])'|^#.*$/gm, blank);
}

const swaps = [
    [/ < /g, ' <= '], [/ <= /g, ' < '], [/ > /g, ' >= '], [/ >= /g, ' > '], [/ == /g, ' != '], [/ != /g, ' == '],
    [/ && /g, ' || '], [/ \|\| /g, ' && '], [/ \+ /g, ' - '], [/ - /g, ' + '], [/\btrue\b/g, 'false'], [/\bfalse\b/g, 'true'],
    [/ \+= /g, ' -= '], [/ -= /g, ' += '], [/\bstd::min\(/g, 'std::max('], [/\bstd::max\(/g, 'std::min('], [/\bbreak;/g, ';'], [/\bcontinue;/g, ';'],
];
/** A statement of its own that only calls: room for memory and assertions are not missed. */
const call = /^[ \t]*(?!return\b|throw\b|if\b|for\b|while\b|else\b|case\b|using\b|delete\b|static\b|const\b|auto\b|fail\b|KOPDARBS_ASSERT)[\w.:>\-[\]()]*\w\([^{};]*\);[ \t]*$/gm;
const not_missed = /\b(reserve|shrink_to_fit|wipe)\(/;

/** All sites of a file: {at, length, with, what}. */
function sites_of(text) {
    const code = code_only(text), sites = [];
    const add = (at, length, replacement, what) => sites.push({at, length, with: replacement, what});
    for (const [pattern, replacement] of swaps)
        for (const m of code.matchAll(pattern)) add(m.index, m[0].length, replacement, `${m[0].trim()} is ${replacement.trim()}`);
    for (const m of code.matchAll(/\bif \(/g)) {
        let depth = 1, end = m.index + m[0].length;
        for (; end < code.length && depth > 0; ++end) depth += code[end] === '(' ? 1 : code[end] === ')' ? -1 : 0;
        const condition = text.slice(m.index + m[0].length, end - 1);
        if (!/;/.test(condition) && !/\b(auto|const)\b/.test(condition))
            add(m.index, end - m.index, `if (!(${condition}))`, 'a condition is inverted');
    }
    for (const m of code.matchAll(/\breturn (?!(?:false|0|nullptr|std::nullopt);)[^;{}]+;/g)) add(m.index, m[0].length, 'return {};', 'an empty value is returned');
    for (const m of code.matchAll(/(?<![\w.'"<:])(\d+)(?![\w.'"])/g))
        add(m.index, m[0].length, String(Number(m[1]) + 1), `${m[1]} is ${Number(m[1]) + 1}`);
    for (const m of code.matchAll(call))
        if (!not_missed.test(m[0]) && !/^\s*[\w:<>,&* ]+ [\w]+\(/.test(m[0])) add(m.index, m[0].length, ';', 'a call is dropped');
    return sites;
}

/** mulberry32 (Tommy Ettinger): numbers in [0, 1). */
function generator(seed) {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let t = Math.imul(state ^ (state >>> 15), state | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
}

/** Endless mutants of `files` ([{file, text}]): first a kind of mutation, so that no kind is drowned, then one of its sites. */
export function* random_mutants(files, seed) {
    const by_kind = new Map();
    for (const {file, text} of files)
        for (const site of sites_of(text)) {
            const kind = site.what.replace(/\d+/g, 'N');
            if (!by_kind.has(kind)) by_kind.set(kind, []);
            by_kind.get(kind).push({file, text, ...site});
        }
    const next = generator(seed), kinds = [...by_kind.values()];
    while (kinds.some((k) => k.length > 0)) {
        const kind = kinds[Math.floor(next() * kinds.length)];
        if (kind.length === 0) continue;
        const [site] = kind.splice(Math.floor(next() * kind.length), 1);
        const line = site.text.slice(0, site.at).split('\n').length;
        const shown = site.text.split('\n')[line - 1 + (site.text[site.at] === '\n' ? 1 : 0)].trim();
        yield {
            name: `${site.file}:${line}: ${site.what}: ${shown}`,
            same: equivalent.get(`${site.file}: ${site.what}: ${shown}`),
            file: site.file,
            text: site.text.slice(0, site.at) + site.with + site.text.slice(site.at + site.length),
        };
    }
}
