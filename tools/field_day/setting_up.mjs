// The first chapter: a municipality sets up its server, enrols four devices, brings in its records, syncs and searches.
import {rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';

import {Device, json_lines, Server} from './programs.mjs';

const seconds = ms => Math.round(ms / 100) / 10;
const folded = text => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

async function make_server(day) {
    const {report, cast, scratch, line} = day;
    day.server = new Server(day.bin, path.join(scratch, 'server'));
    const shares = JSON.parse(await day.server.must(['init', '--json'])).recovery_shares;
    report.check('server_init', {shares: shares.length}, 2, shares.length);

    const provision = path.join(scratch, 'provision.json');
    const {municipality, units, files, partners, users, assignments, types} = cast;
    writeFileSync(provision, JSON.stringify({municipality, units, files, partners, users, assignments, types}));
    const done = JSON.parse(await day.server.must(['provision', provision, '--json']));
    const found = {files: done.files, users: done.users, assignments: done.assignments};
    const wanted = {files: files.length, users: users.length, assignments: assignments.length};
    report.check('provisioned', {municipality: municipality.name, unit: units[0].name, ...found}, wanted, found);

    line.port = await day.server.serve();
    report.holds('server_ready', {url: day.server.url}, day.server.url.startsWith('https://127.0.0.1:'), 'https://127.0.0.1:…', day.server.url);
}

async function enrol(day, user) {
    const name = user.name.split(' ')[0];
    const device = new Device(day.bin, {user: user.id, name, dir: path.join(day.scratch, user.id), secret: day.chance.of(`secret of ${user.id}`).secret()});
    const code = (await day.server.must(['enrol-code', '--user', user.id])).trim();
    const argv = ['enrol', '--server', day.line.url, '--ca', path.join(day.server.dir, 'ca.pem'), '--code', code];
    const enrolled = await device.must(argv);
    return {device, argv, user: enrolled.user};
}

async function enrol_all(day) {
    const all = await Promise.all(day.cast.users.map(user => enrol(day, user)));
    day.devices = Object.fromEntries(all.map(({device}) => [device.user, device]));
    const names = all.map(({device}) => device.name).join(', ');
    day.report.check('enrol', {names}, day.cast.users.map(user => user.id), all.map(each => each.user));
    const thief = all[0].device.at(path.join(day.scratch, 'second-use'));
    const again = await thief.run(all[0].argv);
    day.report.check('code_used', {}, 1, again.code);
}

/** The worker who looks after a file: odd numbers and even. */
const worker_of = scope => (Number(scope.slice(2)) % 2 === 1 ? 'ilze' : 'maris');

async function import_records(day, user) {
    const device = day.devices[user];
    const counts = {};
    let ms = 0;
    for (const [type, records] of [['household', day.records.households], ['person', day.records.persons], ['home_visit', day.records.visits]]) {
        const own = records.filter(record => worker_of(record.scope) === user);
        const file = path.join(day.scratch, `${user}-${type}.jsonl`);
        writeFileSync(file, own.map(record => `${JSON.stringify(record)}\n`).join(''));
        day.report.busy('busy_import', {name: device.name});
        const done = await device.must(['import', file, '--type', type]);
        counts[type] = {wanted: own.length, imported: done.imported};
        ms += done.duration_ms;
        day.plain_text.push(file);
    }
    const of = what => Object.values(counts).map(count => count[what]);
    const [households, persons, visits] = of('imported');
    return () => day.report.check('import_done', {name: device.name, households, persons, visits, seconds: seconds(ms)}, of('wanted'), of('imported'));
}

/** Household H-17 as it stands before the story: a visit with a paragraph, and a flag without triggers. */
async function begin_story(day) {
    const {story} = day.cast;
    const {household, others} = day.records.by_file[story.file];
    const {ilze} = day.devices;
    const visit = {
        household: household.id,
        started_at: '2026-11-02T15:10:00+02:00',
        place: story.place,
        present: story.present,
        housing: story.housing,
        heating: 'stove',
        risk_level: 'medium',
        observations: story.existing_paragraph,
        client_view: story.existing_client_view,
        outcome: 'done',
        notice_given: true,
    };
    const put = async (type, fields) => (await ilze.must(['put', type, '--scope', story.file, '-'], {input: JSON.stringify(fields)})).id;
    const [visit_id, flag] = await Promise.all([put('home_visit', visit), put('child_risk_flag', {household: household.id, children: others})]);
    day.story = {visit: visit_id, flag, household: household.id};
    day.made += 2;
}

async function first_sync(day) {
    const {ilze, maris, anna, dace} = day.devices;
    for (const device of [ilze, maris]) {
        day.report.busy('busy_sync', {name: device.name});
        const unsent = (await device.must(['status'])).unsent;
        const {pushed, accepted, pulled} = await device.sync();
        day.report.check('sync_result', {name: device.name, pushed, accepted, pulled}, {pushed: unsent, accepted: unsent}, {pushed, accepted});
    }
    const [, received, nothing] = await Promise.all([ilze.sync(), anna.sync(), dace.sync()]);
    const bytes = received.bytes_sent + received.bytes_received;
    day.report.check('first_sync', {name: anna.name, pulled: received.pulled, bytes, seconds: seconds(received.duration_ms)}, day.made, received.pulled);
    const [anna_holds, dace_holds] = await Promise.all([anna.must(['status']), dace.must(['status'])]);
    day.report.check('held', {name: anna.name, records: anna_holds.records}, day.made, anna_holds.records);
    day.report.check('least_data', {name: dace.name, records: dace_holds.records}, [0, 0], [dace_holds.records, nothing.pulled]);
}

/** Records whose searched fields spell the word just so. */
function spelled(day, word) {
    const pattern = new RegExp(`(?<!\\p{L})${word}(?!\\p{L})`, 'iu');
    const has = fields => pattern.test(fields.flat().filter(field => field).join('\n'));
    const visits = day.records.visits.filter(v => has([v.place, v.present, v.observations, v.client_view]));
    const persons = day.records.persons.filter(p => has([p.given_name, p.surname, p.address]));
    const households = day.records.households.filter(h => has([h.address]));
    return [...visits, ...persons, ...households].map(record => record.id);
}

/** Without a network and without diacritics; the word as it is spelled must find the same. */
export async function search(day) {
    const device = day.devices.maris;
    for (const word of day.cast.story.search_words) {
        const typed = folded(word);
        day.report.busy('busy_search', {words: typed});
        const [bare, whole] = await Promise.all([typed, word].map(words => device.run(['search', words, '--limit', '100000'])));
        const ids = result => json_lines(result.out).map(record => record.id).sort();
        const found = new Set(ids(bare));
        const must_find = spelled(day, word);
        const missed = must_find.filter(id => !found.has(id)).length;
        const wanted = {missed: 0, same_as_spelled: true, some: true};
        const result = {missed, same_as_spelled: ids(bare).join() === ids(whole).join(), some: must_find.length > 0};
        day.report.check('search', {typed, hits: found.size, spelled: must_find.length, word, missed}, wanted, result);
    }
}

export async function set_up(day) {
    day.report.section('s_setup');
    day.report.busy('busy_server');
    await make_server(day);
    await enrol_all(day);
    day.made = day.records.households.length + day.records.persons.length + day.records.visits.length;
    await Promise.all(['ilze', 'maris'].map(user => day.devices[user].sync())); // what is assigned to them
    const told = await Promise.all(['ilze', 'maris'].map(user => import_records(day, user)));
    for (const tell of told) tell();
    await begin_story(day);
    await first_sync(day);
    rmSync(path.join(day.scratch, 'provision.json'));
}
