// The second chapter: the line is cut. Two workers edit one household without knowing of each other, one with a clock in 2099; then saves
// are killed.
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';

import {faketime_library, saved} from './programs.mjs';
import {search} from './setting_up.mjs';

const WRONG_CLOCK = '2099-01-01 12:00:00';
const SAVES_A_DEVICE = 4;

/** A sync that is under way while nothing comes through. */
async function cut_the_line(day) {
    const {line, report} = day;
    line.cut();
    let child;
    const attempt = day.devices.dace.run(['sync'], {meanwhile: started => (child = started)});
    await Promise.race([line.next_turned_away(), attempt]);
    child.kill('SIGKILL');
    const {out} = await attempt;
    report.check('line_cut', {count: line.turned_away}, '', out);
}

function wrong_clock(day) {
    const library = faketime_library();
    day.wrong_year = WRONG_CLOCK.slice(0, 4);
    const values = {name: day.devices.ilze.name, year: day.wrong_year};
    if (!day.report.holds('clock_set', values, library !== undefined, 'libfaketime.so.1 (tools/setup build)', library ?? null)) return;
    day.devices.ilze.clock = {LD_PRELOAD: library, FAKETIME: `@${WRONG_CLOCK}`, FAKETIME_DONT_FAKE_MONOTONIC: '1'};
}

/** What each of the two writes, as commands; `shows` is what the own device must show then. */
function edits(day) {
    const {story} = day.cast;
    const {visit, flag, household} = day.story;
    const {id: person, ...grandmother} = {...story.grandmother, id: day.chance.of('grandmother').record_id(Date.UTC(2026, 10, 2))};
    day.story.person = person;
    const paragraph = text => ['edit', visit, 'observations', '--text', `${story.existing_paragraph}\n${text}`];
    return {
        ilze: [
            ['put', 'home_visit', '--id', visit, JSON.stringify({risk_level: 'high', heating: 'broken'})],
            paragraph(story.case_worker_paragraph),
            ['add', flag, 'triggers', story.trigger_code],
        ],
        maris: [
            ['put', 'home_visit', '--id', visit, JSON.stringify({risk_level: 'low'})],
            ['put', 'person', '--id', person, '--scope', story.file, JSON.stringify(grandmother)],
            ['add', household, 'members', person],
            ['add', visit, 'present', story.present_added],
            ['add', person, 'phones', story.phone],
            paragraph(story.organiser_paragraph),
        ],
    };
}

async function edit(day) {
    const {story} = day.cast;
    const {ilze, maris} = day.devices;
    const all = edits(day);
    const times = [];
    day.edit_dots = new Set();
    day.report.busy('busy_edit');
    const save_all = async device => {
        for (const argv of all[device.user]) {
            const result = await device.run(argv);
            const printed = saved(result);
            if (printed) day.edit_dots.add(printed.dot);
            else day.report.unexpected(result);
            times.push(result.ms);
        }
    };
    await Promise.all([save_all(ilze), save_all(maris)]);
    day.save_ms = times.sort((a, b) => a - b)[Math.floor(times.length / 2)];

    const [hers, his] = await Promise.all([ilze, maris].map(device => device.must(['get', day.story.visit])));
    const shows = ({fields}, paragraph) => ({risk: fields.risk_level, heating: fields.heating, paragraph: fields.observations.endsWith(`\n${paragraph}`)});
    const labels = day.report.language === 'lv' ? story : story.in_english;
    day.report.check('edit_case_worker', {trigger: labels.trigger}, {risk: 'high', heating: 'broken', paragraph: true}, shows(hers, story.case_worker_paragraph));
    day.report.check('edit_organiser', {phone: story.phone.replaceAll(' ', '\u00a0')}, {risk: 'low', heating: 'stove', paragraph: true}, shows(his, story.organiser_paragraph));
    const knows = [hers.fields.observations.includes(story.organiser_paragraph), his.fields.observations.includes(story.case_worker_paragraph)];
    day.report.check('edits_unaware', {}, [false, false], knows);
}

/** What is saved while kill -9 strikes: a task a file from each worker, contacts from the clerk. No two are alike. */
function saves(day, chance) {
    const due = '2026-12-01';
    const files = chance.shuffled(Object.keys(day.records.by_file));
    const task = (user, file) => ({
        type: 'task',
        scope: file,
        fields: {household: day.records.by_file[file].household.id, assignee: user, due, status: 'open', text: chance.pick(day.records.follow_up[file])},
    });
    const contacts = chance.shuffled(day.cast.story.contacts);
    const contact = i => ({
        type: 'reception_contact',
        scope: day.cast.units[0].id,
        fields: {received_at: '2026-11-03T10:00:00+02:00', point: day.cast.units[0].name, channel: chance.pick(['in_person', 'phone']), subject: contacts[i]},
    });
    const times = Array.from({length: SAVES_A_DEVICE}, (_, i) => i);
    return {ilze: times.map(() => task('ilze', files.pop())), maris: times.map(() => task('maris', files.pop())), dace: times.map(contact)};
}

/** By the clock, near the end of a save, where it writes; at a write to the vault's files; or as soon as it says that it saved. */
function moment(day, chance, nr) {
    if (nr % 3 === 0) return {after_ms: day.save_ms * (0.8 + 0.6 * chance.fraction())};
    if (nr % 3 === 1) return {at_write: chance.integer(2, 8), later_ms: chance.integer(0, 8)};
    return {when_acknowledged: true};
}

async function kill_saves(day) {
    const chance = day.chance.of('kills');
    const all = saves(day, chance);
    day.killed = [];
    day.left_behind = []; // write-ahead logs of processes that died
    let nr = 0;
    const plan = Object.entries(all).map(([user, list]) => [user, list.map(save => ({...save, moment: moment(day, chance, nr++)}))]);
    await Promise.all(plan.map(async ([user, list]) => {
        const device = day.devices[user];
        for (const save of list) {
            day.report.busy('busy_kill', {count: day.killed.length + 1});
            const result = await device.run_and_kill(['put', save.type, '--scope', save.scope, JSON.stringify(save.fields)], save.moment);
            const log = path.join(device.dir, 'vault.db-wal');
            if (result.hit && existsSync(log)) day.left_behind.push(readFileSync(log));
            const acknowledged = saved(result);
            if (!result.hit && !acknowledged) day.report.unexpected(result);
            day.killed.push({...save, user, hit: result.hit, acknowledged});
        }
    }));
    const hits = day.killed.filter(save => save.hit).length;
    const acknowledged = day.killed.filter(save => save.acknowledged).length;
    day.report.holds('kill_device', {saves: day.killed.length, hits, acknowledged}, hits > 0, '> 0', hits);
}

export async function work_offline(day) {
    day.report.section('s_offline');
    await cut_the_line(day);
    await search(day);
    wrong_clock(day);
    await edit(day);
    await kill_saves(day);
}
