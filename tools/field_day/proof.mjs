// The last chapter: what a sync with nothing to do costs, what a thief reads, and whether damage is noticed.
import {cpSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';

import {contents, digest, files_of, Seeker} from './compare.mjs';
import {Server} from './programs.mjs';

const MIN_NEEDLE = 7;     // octets; shorter ones turn up in random bytes
const FRAGMENT = 14;      // characters of a text
const FLIPS = 2;          // that must be noticed
const MOST_FLIPS = 12;
const QUOTED = 130;      // characters of what a program said
const QUIET_LIMIT = 1500; // octets of a sync with nothing to do, HTTP headers included

const folded = text => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** Names, addresses, numbers and pieces of every text that the municipality wrote. */
function secrets_of(day) {
    const chance = day.chance.of('fragments');
    const {story} = day.cast;
    const fragment = text => {
        const from = chance.integer(0, Math.max(0, text.length - FRAGMENT));
        return text.slice(from, from + FRAGMENT);
    };
    const persons = [...day.records.persons, {...story.grandmother, phones: [story.phone]}];
    const names = persons.flatMap(p => [p.surname, `${p.given_name} ${p.surname}`, p.personal_code, ...(p.phones ?? [])]);
    const places = day.records.households.map(household => household.address);
    const texts = day.records.visits.flatMap(visit => [visit.observations, visit.client_view, visit.housing]);
    const written = [story.existing_paragraph, story.case_worker_paragraph, story.organiser_paragraph, ...day.killed.map(save => save.fields.text ?? save.fields.subject)];
    const plain = [...names, ...places, ...[...texts, ...written].filter(text => text).map(fragment)];
    return [...new Set(plain.filter(text => text && Buffer.byteLength(text) >= MIN_NEEDLE))];
}

/** As it was written, as the search index writes it, and in two octets a character. */
function needles_of(secrets) {
    const forms = secrets.flatMap(text => [Buffer.from(text), Buffer.from(folded(text)), Buffer.from(text, 'utf16le')]);
    return forms.filter(octets => octets.length >= MIN_NEEDLE);
}

async function stolen(day) {
    const {report, devices} = day;
    report.section('s_stolen');
    report.busy('busy_search_bytes');
    const secrets = secrets_of(day);
    const seeker = new Seeker(needles_of(secrets).map(octets => octets.toString('latin1')).map(text => Buffer.from(text, 'latin1')));
    const known = day.plain_text.reduce((sum, file) => sum + seeker.in(readFileSync(file)).size, 0);
    report.holds('stolen_control', {found: known}, known > 100, '> 100', known);
    const files = Object.values(devices).flatMap(device => files_of(device.dir).map(({octets}) => octets));
    const look_in = all => ({bytes: all.reduce((sum, octets) => sum + octets.length, 0), hits: all.reduce((sum, octets) => sum + seeker.in(octets).size, 0)});
    const vaults = look_in(files);
    report.check('stolen_vault', {vaults: Object.keys(devices).length, bytes: vaults.bytes, words: secrets.length, hits: vaults.hits}, 0, vaults.hits);
    const logs = look_in(day.left_behind);
    report.check('stolen_log', {files: day.left_behind.length, bytes: logs.bytes, hits: logs.hits}, 0, logs.hits);
    const wrong = await devices.maris.run(['status'], {env: {KOPDARBS_SECRET: day.chance.of('a wrong guess').secret()}});
    report.check('stolen_wrong_secret', {}, {exit: 1, printed: ''}, {exit: wrong.code, printed: wrong.out});
}

async function verify_all(day) {
    const devices = Object.values(day.devices);
    const all = await Promise.all([...devices.map(device => device.run(['verify'])), day.server.run(['verify', '--json'])]);
    const found = all.map(({code, out}) => ({exit: code, damage: JSON.parse(out).damage.length}));
    const changes = all.reduce((sum, {out}) => sum + JSON.parse(out).changes, 0);
    day.report.check('verify_clean', {vaults: devices.length, servers: all.length - devices.length, changes}, found.map(() => ({exit: 0, damage: 0})), found);
}

function flip(file, at, mask) {
    const octets = readFileSync(file);
    octets[at] ^= mask;
    writeFileSync(file, octets);
}

const first_line = text => text.split('\n')[0];

/** One bit of a copy of a vault, anywhere in its database: noticed, or in a page that holds nothing, where every record reads as before. */
async function flip_vault(day, i) {
    const {report, chance} = day;
    const own = chance.of(`flip ${i}`);
    const device = own.pick(Object.values(day.devices).filter(each => each.user !== 'dace'));
    const copy = device.at(path.join(day.scratch, `damaged-${i}`));
    cpSync(device.dir, copy.dir, {recursive: true});
    const file = path.join(copy.dir, 'vault.db');
    const values = {name: device.name, offset: own.integer(0, readFileSync(file).length - 1), bit: own.integer(0, 7)};
    flip(file, values.offset, 1 << values.bit);
    const {code: exit, err} = await copy.run(['verify'], {json: false});
    if (exit === 0) {
        const [before, after] = [await contents(device), await contents(copy)].map(digest);
        report.check('bit_unused', values, before, after);
    } else {
        report.check('bit_flipped', {...values, exit}, {exit: 1, names_it: true}, {exit, names_it: err.includes('vault.db')});
        report.quote(shorter(first_line(err).replaceAll(day.scratch, '…')));
    }
    rmSync(copy.dir, {recursive: true});
    return exit !== 0;
}

async function flip_vaults(day) {
    let noticed = 0;
    for (let i = 0; i < MOST_FLIPS && noticed < FLIPS; ++i) {
        if (await flip_vault(day, i)) ++noticed;
        day.report.busy('busy_verify');
    }
    if (noticed < FLIPS) day.report.check('bits_noticed', {noticed}, FLIPS, noticed);
}

const shorter = text => (text.length > QUOTED ? `${text.slice(0, QUOTED - 1)}…` : text);

/** One bit of what a worker wrote, in a copy of the server's store: the change must be named. */
async function flip_server(day) {
    const copy = new Server(day.bin, path.join(day.scratch, 'damaged-server'));
    cpSync(day.server.dir, copy.dir, {recursive: true});
    const file = path.join(copy.dir, 'server.db');
    const octets = readFileSync(file);
    const text = Buffer.from(day.cast.story.case_worker_paragraph);
    const places = [];
    for (let at = octets.indexOf(text); at !== -1; at = octets.indexOf(text, at + 1)) places.push(at);
    const results = [];
    for (const at of places) {
        writeFileSync(file, octets);
        flip(file, at + 2, 1);
        const result = await copy.run(['verify']);
        results.push({exit: result.code, said: result.err});
    }
    const named = results.flatMap(({said}) => said.match(/change \S+:\d+/g) ?? []);
    const right = named.filter(name => day.edit_dots.has(name.slice('change '.length))).length;
    const found = {noticed: results.filter(({exit}) => exit === 1).length, named: right > 0 && right === named.length};
    day.report.holds('bit_server', {places: places.length, noticed: found.noticed}, found.named && found.noticed === places.length && places.length > 0, {noticed: places.length, named: true}, found);
    const finding = results.flatMap(({said}) => said.split('\n')).find(line => line.includes('change '));
    if (finding) day.report.quote(shorter(finding));
    rmSync(copy.dir, {recursive: true});
}

async function damage(day) {
    day.report.section('s_damage');
    day.report.busy('busy_verify');
    await day.server.stop();
    await verify_all(day);
    await flip_vaults(day);
    await flip_server(day);
}

/** How much a sync with nothing to do takes on the wire, TLS included: faults strike within that. */
export async function measure_quiet_sync(day) {
    const before = day.line.octets;
    await day.devices.anna.sync();
    day.quiet_octets = day.line.octets - before;
}

async function nothing_to_do(day) {
    day.report.section('s_quiet');
    const before = day.line.octets;
    const {round_trips, bytes_sent, bytes_received, pushed, pulled} = await day.devices.maris.sync();
    const wire = day.line.octets - before;
    const found = {round_trips, pushed, pulled, small: bytes_sent + bytes_received < QUIET_LIMIT};
    day.report.check('nothing_to_do', {round_trips, bytes_sent, bytes_received, wire}, {round_trips: 1, pushed: 0, pulled: 0, small: true}, found);
}

export async function prove(day) {
    await nothing_to_do(day); // before the server stops: after a start it asks each device for its cursors once
    await stolen(day);
    await damage(day);
}
