// What the demo prints: sections of lines, each a claim with what was expected and what was found.
//
// Colours and progress are for a terminal only.

const WIDTH = 80;
const MARK_WIDTH = 8;
const INDENT = 2;

function canonical(value) {
    if (Array.isArray(value)) return value.map(canonical);
    if (value && typeof value === 'object') {
        return Object.fromEntries(Object.keys(value).sort().map(key => [key, canonical(value[key])]));
    }
    return value;
}

export const canonical_json = value => JSON.stringify(canonical(value));

/** Words up to the width, the following lines indented as the first. */
function wrapped(text, indent, first_indent = indent) {
    const lines = [];
    let line = '';
    for (const word of text.split(" ")) {
        if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
            lines.push(line);
            line = word;
        } else {
            line = line === '' ? word : `${line} ${word}`;
        }
    }
    lines.push(line);
    return lines.map((each, i) => ' '.repeat(i === 0 ? first_indent : indent) + each).join('\n');
}

export class Report {
    constructor(says, language, stream = process.stdout) {
        this.says = says;
        this.language = language;
        this.stream = stream;
        this.numbers = new Intl.NumberFormat(language === 'lv' ? 'lv-LV' : 'en-GB', {maximumFractionDigits: 1});
        this.terminal = stream.isTTY === true && process.env.TERM !== 'dumb';
        this.colours = this.terminal && !process.env.NO_COLOR;
        this.checks = 0;
        this.failures = 0;
        this.sections = 0;
        this.is_busy = false;
    }

    text(key, values = {}) {
        const text = this.says[key]?.[this.language];
        if (text === undefined) throw new Error(`nothing is said for '${key}' in '${this.language}'`);
        return text.replace(/\{(\w+)\}/g, (_, name) => {
            if (values[name] === undefined) throw new Error(`'${key}' lacks {${name}}`);
            return typeof values[name] === 'number' ? this.numbers.format(values[name]) : String(values[name]);
        });
    }

    #painted(code, text) {
        return this.colours ? `\x1b[${code}m${text}\x1b[0m` : text;
    }

    print(text = '') {
        if (this.is_busy) this.stream.write('\r\x1b[K');
        this.is_busy = false;
        this.stream.write(`${text}\n`);
    }

    title(key, values) {
        this.print(this.#painted('1', this.text(key, values)));
    }

    plain(key, values) {
        this.print(wrapped(this.text(key, values), 0));
    }

    /** A command to copy: not wrapped. */
    command(key, command) {
        this.print(' '.repeat(INDENT) + this.text(key));
        this.print(' '.repeat(INDENT * 2) + command);
    }

    section(key) {
        this.print();
        this.print(this.#painted('1', `${++this.sections}  ${this.text(key)}`));
    }

    /** One line on a terminal, gone with the next line. */
    busy(key, values) {
        if (!this.terminal) return;
        this.stream.write(`\r\x1b[K${' '.repeat(INDENT)}… ${this.text(key, values)}`.slice(0, WIDTH));
        this.is_busy = true;
    }

    /** The claim of `key` holds if `found` equals `expected`; both may be any JSON. */
    check(key, values, expected, found) {
        return this.#line(this.text(key, values), canonical_json(expected) === canonical_json(found), expected, found);
    }

    /** The claim holds if `is_so`; `wanted` and `found` are shown if not. */
    holds(key, values, is_so, wanted, found) {
        return this.#line(this.text(key, values), is_so, wanted, found);
    }

    /** What was printed by a program, below a line. */
    quote(text) {
        for (const line of text.split('\n')) this.print(this.#painted('2', wrapped(line, INDENT + MARK_WIDTH + 2)));
    }

    /** A command that ended otherwise than it must: exactly what ran and what it said. */
    unexpected(result) {
        ++this.checks;
        ++this.failures;
        this.print(' '.repeat(INDENT) + this.#painted('31', this.text('mark_failed').padEnd(MARK_WIDTH)) + this.text('failed', {what: result.command}));
        const how = result.signal ?? `exit ${result.code}`;
        this.print([how, result.out.trimEnd(), result.err.trimEnd()].filter(text => text !== '').join('\n'));
    }

    #line(text, is_so, expected, found) {
        ++this.checks;
        if (!is_so) ++this.failures;
        const mark = this.text(is_so ? 'mark_ok' : 'mark_failed').padEnd(MARK_WIDTH);
        const indent = INDENT + MARK_WIDTH;
        this.print(' '.repeat(INDENT) + this.#painted(is_so ? '32' : '31', mark) + wrapped(text, indent, 0));
        if (!is_so) {
            this.print(' '.repeat(indent) + this.text('expected', {what: canonical_json(expected)}));
            this.print(' '.repeat(indent) + this.text('found', {what: canonical_json(found)}));
        }
        return is_so;
    }
}
