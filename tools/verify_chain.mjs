#!/usr/bin/env node
// An outside witness of a log: checks an export (`kopdarbsd verify DIR --export FILE`) from its description alone,
// "Export" in FORMAT.md and "Verdicts and the chain of decisions" in PROTOCOL.md. Shares no code with the server.

import { isUtf8 } from 'node:buffer';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { parseArgs } from 'node:util';

const USAGE = `usage: verify_chain.mjs FILE [--key KEY] [--json]
Checks the export FILE of a log: feeds, scopes and decisions. Damage goes to stderr, a summary (--json: an object) to stdout.
KEY is the server's public key as one of its devices knows it (kopdarbs status --json); without it the
server's key is believed. The keys of devices and the names of scopes are believed as the file gives them.
Exit status: 0 all holds, 1 damage, 2 usage or FILE cannot be read.
`;
const MOST_SHOWN = 100;
const MOST_KEPT = 10_000;
const LONGEST_LINE = 64 << 20;
const LONGEST_CONTENT = 8 << 20;
const MOST_VERDICTS = 200_000;
const DEEPEST = 32;
const COUNTER_MAX = Number.MAX_SAFE_INTEGER;
const STAMP_MAX = 2n ** 63n - 1n;
const ZEROS = Buffer.alloc(32);
const ACCEPTED = 1;
const HELD = 5;

class Damage extends Error {}

function need(holds, what) {
    if (!holds) throw new Damage(what);
}

// A whole number is a Number where that is exact and a BigInt beyond, so that === compares any two of them.
const exact = (big) => (big <= COUNTER_MAX ? Number(big) : big);
const isWhole = (v, least, most) => (typeof v === 'number' || typeof v === 'bigint') && v >= least && v <= most;
const isOctets = (v, length) => Buffer.isBuffer(v) && v.length === length;
const isObject = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);
const isName = (v) => typeof v === 'string' && Buffer.byteLength(v) <= 128;
const isCounter = (v) => isWhole(v, 1, COUNTER_MAX);
const isStamp = (v) => isWhole(v, 0, STAMP_MAX);
const isDot = (v) => Array.isArray(v) && v.length >= 2 && isOctets(v[0], 8) && isCounter(v[1]);

function sha256(...parts) {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest();
}

function isSigned(key, message, signature) {
    try {
        const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') };
        return verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature);
    } catch {
        return false;
    }
}

// ---- Deterministic CBOR. What no check looks at (negative numbers, floats, simple values) is read as OTHER.

const OTHER = Symbol('other');

class Cbor {
    constructor(bytes) {
        this.bytes = bytes;
        this.at = 0;
    }

    static read(bytes, name) {
        try {
            const reader = new Cbor(bytes);
            const item = reader.item(0);
            need(reader.at === bytes.length, 'octets after its end');
            return item;
        } catch (error) {
            if (error instanceof Damage) error.message = `its ${name} is not deterministic CBOR: ${error.message}`;
            throw error;
        }
    }

    take(length) {
        need(length <= this.bytes.length - this.at, 'cut off');
        this.at += length;
        return this.bytes.subarray(this.at - length, this.at);
    }

    argument(info) {
        if (info < 24) return info;
        need(info < 28, 'an indefinite or undefined length');
        const width = 1 << (info - 24);
        const octets = this.take(width);
        const value = width < 8 ? octets.readUIntBE(0, width) : exact(octets.readBigUInt64BE());
        need(value >= [24, 2 ** 8, 2 ** 16, 2 ** 32][info - 24], 'a number that is not in its shortest form');
        return value;
    }

    item(depth) {
        const first = this.take(1)[0];
        const kind = first >> 5;
        need(kind !== 6, 'a tag');
        if (kind === 7) return this.simple(first & 31);
        const value = this.argument(first & 31);
        if (kind === 0) return value;
        if (kind === 1) return OTHER;
        need(value <= this.bytes.length - this.at, 'cut off');
        if (kind === 2) return this.take(value);
        if (kind === 3) return this.text(value);
        need(depth < DEEPEST, 'too deep');
        return kind === 4 ? Array.from({ length: value }, () => this.item(depth + 1)) : this.map(value, depth + 1);
    }

    text(length) {
        const octets = this.take(length);
        need(isUtf8(octets), 'a text that is not UTF-8');
        return octets.toString();
    }

    map(count, depth) {
        const pairs = [];
        let before = null;
        for (let i = 0; i < count; i++) {
            const start = this.at;
            const key = this.item(depth);
            const octets = this.bytes.subarray(start, this.at);
            need(before === null || Buffer.compare(before, octets) < 0, 'keys that are not sorted');
            before = octets;
            pairs.push([key, this.item(depth)]);
        }
        return new Map(pairs);
    }

    simple(info) {
        if (info === 22) return null;
        if (info >= 25 && info <= 27) need(this.isShortestFloat(info), 'a float that is not in its shortest form');
        else if (info === 24) need(this.take(1)[0] >= 32, 'a simple value that is not in its shortest form');
        else need(info < 24, 'an indefinite or undefined length');
        return OTHER;
    }

    // The one NaN is the half float 7e00.
    isShortestFloat(info) {
        const octets = this.take(1 << (info - 24));
        if (info === 25) return (octets.readUInt16BE() & 0x7fff) <= 0x7c00 || octets.readUInt16BE() === 0x7e00;
        const value = info === 26 ? octets.readFloatBE() : octets.readDoubleBE();
        return !Number.isNaN(value) && (info === 26 ? !fitsHalf(value) : Math.fround(value) !== value);
    }
}

// A finite half float is a multiple of 2^-24 that has at most 11 significant bits.
function fitsHalf(value) {
    const units = Math.abs(value) * 2 ** 24;
    if (units === Infinity) return true;
    return Math.abs(value) <= 65504 && Number.isInteger(units) && units.toString(2).replace(/0+$/, '').length <= 11;
}

// A line stands as JSON.stringify would write it, so that no member stands twice and nothing hides in white space.
function readJson(text) {
    let value;
    try {
        value = JSON.parse(text);
    } catch {
        throw new Damage('it is not JSON');
    }
    need(isObject(value) && JSON.stringify(value) === text, 'it is not JSON of the form of an export');
    return value;
}

// ---- The forms of the lines: what each member is read as, or undefined.

const stamp = (v) => (typeof v === 'string' && /^(0|[1-9][0-9]{0,18})$/.test(v) && BigInt(v) <= STAMP_MAX ? exact(BigInt(v)) : undefined);
const number = (least, most) => (v) => (isWhole(v, least, most) ? v : undefined);
const matching = (pattern) => (v) => (typeof v === 'string' && pattern.test(v) ? v : undefined);
const octets = (length) => (v) => {
    if (typeof v !== 'string') return undefined;
    const bytes = Buffer.from(v, 'base64');
    return bytes.toString('base64') === v && (length === undefined || bytes.length === length) ? bytes : undefined;
};
const orNull = (form) => (v) => (v === null ? null : form(v));
const id = matching(/^[0-9a-f]{32}$/);
const replica = matching(/^[0-9a-f]{16}$/);
const counts = number(0, COUNTER_MAX);
const hash = octets(32);

const FORMS = {
    export: { kopdarbs_export: number(1, 1), server: id, key: octets(32) },
    feed: { replica, scope: id, key: orNull(octets(32)), counter: counts, hash, checkpoint: octets(64) },
    change: { header: octets(), salt: octets(16), content: octets(), hash },
    erased: { header: octets(), content_hash: hash, hash },
    scope: { id, name: (v) => (isName(v) ? v : undefined), seq: counts, hash },
    entry: { seq: number(1, COUNTER_MAX), replica, counter: number(1, COUNTER_MAX), stamp, change: hash, hash },
    decision: { before: hash, body: octets(), signature: octets(64) },
    end: { feeds: counts, changes: counts, scopes: counts, entries: counts, decisions: counts },
};

function readMembers(object, form) {
    need(isObject(object), 'it is not an object');
    const members = {};
    for (const [name, read] of Object.entries(form)) {
        need(Object.hasOwn(object, name), `its ${name} is missing`);
        members[name] = read(object[name]);
        need(members[name] !== undefined, `its ${name} is not of its form`);
    }
    need(Object.keys(object).length === Object.keys(form).length, 'it has a member too many');
    return members;
}

const HEADER = [
    ['version', (v) => isWhole(v, 1, Infinity)],
    ['replica', (v) => isOctets(v, 8)],
    ['counter', isCounter],
    ['prev', (v, header) => isWhole(v, 0, header[2] - 1)],
    ['wall', (v) => isWhole(v, 0, Infinity)],
    ['stamp', isStamp],
    ['heard', isStamp],
    ['author', isName],
    ['scope', (v) => isOctets(v, 16)],
    ['record', (v) => isOctets(v, 16)],
    ['type', isName],
    ['type version', (v) => isWhole(v, 0, 2 ** 32 - 1)],
    ['seen', (v, header) => v instanceof Map && [...v].every((pair) => isDot(pair) && (!pair[0].equals(header[1]) || pair[1] < header[2]))],
    ['size', (v) => isWhole(v, 0, LONGEST_CONTENT)],
    ['group', (v) => v === null || isOctets(v, 16)],
];

function readHeader(bytes) {
    const header = Cbor.read(bytes, 'header');
    need(Array.isArray(header) && header.length >= HEADER.length, `its header is not an array of at least ${HEADER.length}`);
    HEADER.forEach(([name, holds], i) => need(holds(header[i], header), `part ${i} (${name}) of its header is not of its form`));
    return header;
}

function isOperation(v) {
    if (!Array.isArray(v) || v.length < 2 || !Array.isArray(v[0]) || !isWhole(v[0][0], 0, 65535)) return false;
    return v.length === 2 || (Array.isArray(v[2]) && v[2].every(isDot));
}

function checkContent(bytes) {
    const content = Cbor.read(bytes, 'content');
    need(Array.isArray(content) && Array.isArray(content[0]), 'its content does not begin with an array of operations');
    need(content[0].length <= 20_000, 'its content has too many operations');
    need(content[0].every(isOperation), 'its content has an operation that is not of its form');
}

function isVerdict(v) {
    if (!Array.isArray(v) || v.length < 5) return false;
    const [word, counter, count, seq, stamp] = v;
    return isWhole(word, ACCEPTED, HELD) && isCounter(counter) && isWhole(count, 1, word === ACCEPTED ? MOST_VERDICTS : 1) &&
        isCounter(counter + count - 1) && isWhole(seq, 0, COUNTER_MAX) && isStamp(stamp) && (v.length === 5 || typeof v[5] === 'string');
}

function readDecision(bytes) {
    const body = Cbor.read(bytes, 'body');
    need(Array.isArray(body) && isOctets(body[0], 8) && Array.isArray(body[1]), 'its body is not a replica and verdicts');
    need(body[1].length <= MOST_VERDICTS, 'its body has too many verdicts');
    need(body[1].every(isVerdict), 'its body has a verdict that is not of its form');
    return { replica: body[0].toString('hex'), verdicts: body[1] };
}

function checkpointMessage(server, feed) {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(feed.counter));
    const ids = [server, feed.replica, feed.scope].map((hex) => Buffer.from(hex, 'hex'));
    return Buffer.concat([Buffer.from('kopdarbs checkpoint 1\0'), ...ids, counter, feed.hash]);
}

function decisionMessage(before, body) {
    return Buffer.concat([Buffer.from('kopdarbs decision 1\0'), before, body]);
}

// ---- The witness. After a damage it goes on from what is written, so that one damage is not reported by all that follows.

const STEPS = { feed: 1, change: 1, scope: 2, entry: 2, decision: 3, end: 4 };
const PLURALS = { feed: 'feeds', change: 'changes', scope: 'scopes', entry: 'entries', decision: 'decisions' };

class Witness {
    constructor(known) {
        this.known = known;
    }

    server = null;
    key = null;
    line = 0;
    step = 1;
    where = '';
    counts = { feeds: 0, changes: 0, scopes: 0, entries: 0, decisions: 0 };
    damages = 0;
    damage = [];
    feeds = new Set();
    scopes = new Set();
    // By dot: the scope, hash and own stamp of a change, its entry (seq 0: none) and its final verdict (0: none).
    changes = new Map();
    feed = null;
    scope = null;
    decided = ZEROS;

    report(what, where = this.where) {
        this.damages++;
        if (this.damages <= MOST_SHOWN) process.stderr.write(`verify_chain: ${where}: ${what}\n`);
        if (this.damages <= MOST_KEPT) this.damage.push({ where, what });
    }

    check(holds, what) {
        if (!holds) this.report(what);
    }

    readLine(bytes) {
        this.where = `line ${++this.line}`;
        try {
            need(this.step < 4, 'it stands after the last line');
            need(isUtf8(bytes), 'it is not UTF-8');
            const line = readJson(bytes.toString());
            if (this.server === null) this.readExport(line);
            else this.readPart(line);
        } catch (error) {
            if (!(error instanceof Damage)) throw error;
            this.report(error.message);
        }
    }

    readExport(line) {
        need(Object.hasOwn(line, 'kopdarbs_export'), 'it is not the first line of an export');
        const { server, key } = readMembers(line, FORMS.export);
        this.server = server;
        this.key = key;
        this.check(this.known === null || this.known === key.toString('base64'), 'its key is not the one that is known');
    }

    readPart(line) {
        const [kind, more] = Object.keys(line);
        need(more === undefined && Object.hasOwn(STEPS, kind), 'it is not a line of an export');
        need(STEPS[kind] >= this.step, `it is out of order: its kind is ${kind}`);
        this.step = STEPS[kind];
        if (kind !== 'change') this.close('feed');
        if (kind !== 'entry') this.close('scope');
        if (kind !== 'end') this.counts[PLURALS[kind]]++;
        this[`${kind}Line`](line[kind]);
    }

    feedLine(value) {
        const feed = readMembers(value, FORMS.feed);
        this.where += `, feed ${feed.replica} in ${feed.scope}`;
        const name = `${feed.replica} ${feed.scope}`;
        this.feed = { ...feed, head: feed.counter, where: this.where, last: 0, before: ZEROS };
        this.check(!this.feeds.has(name), 'the feed stands twice');
        this.feeds.add(name);
        need(feed.key !== null, 'there is no key to check its checkpoint with');
        need(isSigned(feed.key, checkpointMessage(this.server, feed), feed.checkpoint), 'its checkpoint is not signed by its key');
    }

    changeLine(value) {
        const { feed } = this;
        need(feed !== null, 'no feed stands before it');
        const change = readMembers(value, isObject(value) && Object.hasOwn(value, 'content_hash') ? FORMS.erased : FORMS.change);
        const computed = sha256(feed.before, change.header, change.content_hash ?? sha256(change.salt, change.content));
        feed.before = change.hash;
        const header = readHeader(change.header);
        const dot = `${header[1].toString('hex')}:${header[2]}`;
        this.where += `, change ${dot}`;
        this.check(computed.equals(change.hash), 'its bytes do not give the hash that is written');
        this.check(header[1].toString('hex') === feed.replica, 'its header says another replica than its feed');
        this.check(header[8].toString('hex') === feed.scope, 'its header says another scope than its feed');
        this.check(header[2] > feed.last, 'its counter does not rise');
        feed.last = header[2];
        need(!this.changes.has(dot), 'it stands twice');
        this.changes.set(dot, { scope: feed.scope, hash: change.hash.toString('latin1'), own: header[5], seq: 0, stamp: 0, verdict: 0 });
        if (change.content === undefined) return;
        need(change.content.length === header[13], 'its content has not the size that its header says');
        checkContent(change.content);
    }

    scopeLine(value) {
        const scope = readMembers(value, FORMS.scope);
        this.where += `, scope ${scope.id}`;
        this.scope = { ...scope, head: scope.seq, where: this.where, last: 0, before: ZEROS };
        this.check(!this.scopes.has(scope.id), 'the scope stands twice');
        this.scopes.add(scope.id);
    }

    close(name) {
        if (this[name] === null) return;
        const { head, hash, last, before, where } = this[name];
        if (last !== head || !before.equals(hash)) this.report('what stands under it does not end with its head', where);
        this[name] = null;
    }

    entryLine(value) {
        const { scope } = this;
        need(scope !== null, 'no scope stands before it');
        const entry = readMembers(value, FORMS.entry);
        const dot = `${entry.replica}:${entry.counter}`;
        this.where += `, entry ${entry.seq} of ${scope.id}, change ${dot}`;
        this.check(entry.seq === scope.last + 1, 'its seq does not follow the entry before it');
        this.check(sha256(scope.before, entry.change).equals(entry.hash), 'its change does not give the hash that is written');
        scope.last = entry.seq;
        scope.before = entry.hash;
        const change = this.changes.get(dot);
        need(change !== undefined, 'no feed has its change');
        need(change.scope === scope.id, 'its change is of a feed of another scope');
        this.check(change.hash === entry.change.toString('latin1'), 'its change has another hash in its feed');
        need(change.seq === 0, 'its change has another entry');
        change.seq = entry.seq;
        change.stamp = entry.stamp;
    }

    decisionLine(value) {
        const { before, body, signature } = readMembers(value, FORMS.decision);
        this.where += `, decision ${this.counts.decisions}`;
        const message = decisionMessage(before, body);
        this.check(before.equals(this.decided), 'it does not follow the decision before it');
        this.check(isSigned(this.key, message, signature), 'it is not signed by the server');
        this.decided = sha256(message);
        const { replica, verdicts } = readDecision(body);
        const { where } = this;
        for (const [word, counter, count, seq, stamp] of verdicts) {
            // A run stops at a change that is missing or decided otherwise, so no body makes more work than there are changes.
            for (let i = 0; i < count; i++) {
                const dot = `${replica}:${counter + i}`;
                this.where = `${where}, change ${dot}`;
                if (!this.decide(dot, word, seq + i, count > 1 ? 0 : stamp)) break;
            }
        }
    }

    // Whether the verdict is final, and the only one that the change ever gets: who asks again is told the same.
    decide(dot, word, seq, stamp) {
        const change = this.changes.get(dot);
        if (change !== undefined && change.verdict !== 0) {
            const same = word === change.verdict && (word !== ACCEPTED || change.seq === seq);
            this.check(same, 'it has another final verdict already');
            return same;
        }
        if (word === HELD) return false;
        if (word !== ACCEPTED && change === undefined) this.changes.set(dot, { seq: 0, verdict: word }); // need not be in a feed
        if (word === ACCEPTED) this.check(change !== undefined, 'it is accepted, but no feed has it');
        if (change === undefined) return false;
        change.verdict = word;
        if (word !== ACCEPTED) return true;
        this.check(change.seq === seq, 'it has no entry at the seq that the decision says');
        this.check(change.seq === 0 || change.stamp === (stamp || change.own), 'its entry has not the stamp that the decision says');
        return true;
    }

    endLine(value) {
        const end = readMembers(value, FORMS.end);
        for (const [name, count] of Object.entries(this.counts)) this.check(end[name] === count, `it says another number of ${name}`);
    }

    finish() {
        this.where = 'end of file';
        this.check(this.line > 0, 'the file is empty');
        if (this.server === null) return;
        this.close('feed');
        this.close('scope');
        this.check(this.step === 4, 'the last line is missing: the file was cut off');
        for (const [dot, { scope, seq, verdict }] of this.changes) {
            if (seq !== 0 && verdict !== ACCEPTED) this.report('no decision accepted it', `entry ${seq} of ${scope}, change ${dot}`);
        }
    }
}

async function* linesOf(path) {
    let pieces = [];
    let length = 0;
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
        let start = 0;
        for (let end; (end = chunk.indexOf(10, start)) >= 0; start = end + 1) {
            yield Buffer.concat([...pieces, chunk.subarray(start, end)]);
            pieces = [];
            length = 0;
        }
        pieces.push(chunk.subarray(start));
        length += chunk.length - start;
        need(length <= LONGEST_LINE, 'the line is too long');
    }
    if (length > 0) yield Buffer.concat(pieces);
}

async function witnessFile(path, known) {
    const witness = new Witness(known);
    try {
        for await (const line of linesOf(path)) {
            witness.readLine(line);
            if (witness.server === null) break; // without the first line nothing can be said
        }
    } catch (error) {
        if (!(error instanceof Damage)) throw error;
        witness.report(error.message, `line ${witness.line + 1}`);
    }
    witness.finish();
    return witness;
}

function printResult({ counts, damages, damage }, asJson) {
    if (damages > MOST_SHOWN) process.stderr.write(`verify_chain: ${damages - MOST_SHOWN} more\n`);
    if (damages > damage.length) damage.push({ where: 'the rest', what: `${damages - damage.length} more` });
    const summary = Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(', ');
    if (asJson) process.stdout.write(`${JSON.stringify({ ...counts, damage })}\n`);
    else process.stdout.write(`${summary}: ${damages === 0 ? 'all holds' : `${damages} damaged`}\n`);
}

async function main(args) {
    let options;
    try {
        const known = { json: { type: 'boolean' }, key: { type: 'string' }, help: { type: 'boolean', short: 'h' } };
        options = parseArgs({ args, options: known, allowPositionals: true });
        need(options.values.help || options.positionals.length === 1);
    } catch {
        process.stderr.write(USAGE);
        return 2;
    }
    const { values, positionals: [file] } = options;
    if (values.help) {
        process.stdout.write(USAGE);
        return 0;
    }
    try {
        const witness = await witnessFile(file, values.key ?? null);
        printResult(witness, values.json);
        return witness.damages === 0 ? 0 : 1;
    } catch (error) {
        process.stderr.write(`verify_chain: ${file}: cannot be read: ${error.code ?? error.message}\n`);
        return 2;
    }
}

process.exitCode = await main(process.argv.slice(2));
