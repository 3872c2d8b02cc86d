// The third chapter: the line is back. The same edits are brought together in both orders, the first on copies of everything, the second with
// kill -9 and a broken line in mid-sync; then: what was kept, and the supervisor's decision.
import {cpSync, mkdirSync} from 'node:fs';
import path from 'node:path';

import {contents, digest, is_kept, lost_by_last_write, plain_record, true_conflicts, values_written, whole_field, whole_record} from './compare.mjs';
import {Server} from './programs.mjs';

const CLOCK_SLACK_MS = 60_000;

/** Server and vaults as they lie there, nothing running. */
async function copy_everything(day) {
    await day.server.stop();
    const copy = path.join(day.scratch, 'other-order');
    mkdirSync(copy);
    const device_at = device => [device.user, device.at(path.join(copy, device.user))];
    for (const dir of [day.server.dir, ...Object.values(day.devices).map(device => device.dir)]) {
        cpSync(dir, path.join(copy, path.basename(dir)), {recursive: true});
    }
    return {
        server: new Server(day.bin, path.join(copy, 'server')),
        devices: Object.fromEntries(Object.values(day.devices).map(device_at)),
    };
}

async function sync_checked(day, device, unsent) {
    day.report.busy('busy_sync', {name: device.name});
    const {pushed, accepted, refused, pulled} = await device.sync();
    day.report.check('sync_result', {name: device.name, pushed, accepted, pulled}, {pushed: unsent, accepted: unsent, refused: 0}, {pushed, accepted, refused});
}

/** Everyone's device has everything. */
async function settle(devices) {
    await Promise.all([devices.ilze.sync(), devices.maris.sync()]);
    await Promise.all([devices.anna.sync(), devices.dace.sync()]);
}

const FILE_HOLDERS = ['ilze', 'maris', 'anna'];

async function all_contents(day, devices) {
    const all = [];
    for (const user of FILE_HOLDERS) {
        day.report.busy('busy_compare', {name: devices[user].name});
        all.push(await contents(devices[user]));
    }
    return all;
}

function check_equal(day, all) {
    const digests = all.map(digest);
    const names = FILE_HOLDERS.map(user => day.devices[user].name).join(', ');
    day.report.check('devices_equal', {devices: names, records: all[0].length, digest: digests[0]}, Array(all.length).fill(digests[0]), digests);
    return digests[0];
}

async function first_order(day, unsent) {
    const {server, devices} = await copy_everything(day);
    day.line.port = await server.serve();
    day.line.restore();
    day.report.plain('order_first');
    for (const user of ['ilze', 'maris']) await sync_checked(day, devices[user], unsent[user]);
    await settle(devices);
    const result = check_equal(day, await all_contents(day, devices));
    await server.stop();
    return result;
}

/** A sync of `device` in whose middle `what` happens; it must go through by itself. */
async function disturbed_sync(day, device, unsent, key, what) {
    const trap = day.line.after(day.chance.of(`middle of ${key}`).integer(300, day.quiet_octets), what);
    day.report.busy('busy_sync', {name: device.name});
    const result = await device.run(['sync']);
    const done = result.code === 0 ? JSON.parse(result.out) : {};
    if (result.code !== 0) day.report.unexpected(result);
    const found = {struck: trap.fired, exit: result.code, pushed: done.pushed, accepted: done.accepted};
    day.report.check(key, {name: device.name, octets: trap.octets, pushed: done.pushed ?? '-', accepted: done.accepted ?? '-'}, {struck: true, exit: 0, pushed: unsent, accepted: unsent}, found);
}

async function second_order(day, unsent) {
    const {line, server, devices, report, chance} = day;
    line.port = await server.serve();
    report.plain('order_second');
    let again;
    const kill_server = () => {
        line.port = undefined;
        server.kill();
        again = server.ended().then(() => server.serve()).then(port => (line.port = port));
    };
    await disturbed_sync(day, devices.maris, unsent.maris, 'kill_server', kill_server);
    await again;
    await disturbed_sync(day, devices.ilze, unsent.ilze, 'break_line', 'line');

    let child;
    const trap = line.after(chance.of('middle of a sync that dies').integer(300, day.quiet_octets), () => child.kill('SIGKILL'));
    const died = await devices.dace.run(['sync'], {meanwhile: started => (child = started)});
    const after = await devices.dace.sync();
    const left = (await devices.dace.must(['status'])).unsent;
    report.check('kill_sync', {name: devices.dace.name, octets: trap.octets, accepted: after.accepted, left}, ['SIGKILL', 0, 0], [died.signal, after.refused, left]);
    await settle(devices);
    day.contents = await all_contents(day, devices);
    return check_equal(day, day.contents);
}

async function both_orders(day) {
    const {report, devices} = day;
    report.section('s_order');
    const status = await Promise.all(['ilze', 'maris'].map(user => devices[user].must(['status'])));
    const unsent = {ilze: status[0].unsent, maris: status[1].unsent};
    const first = await first_order(day, unsent);
    const second = await second_order(day, unsent);
    if (first === second) report.check('orders_equal', {digest: second}, first, second);
    else report.check('orders_differ', {first, second}, first, second);
}

/** Every save that was acknowledged before kill -9 must be on the supervisor's device, once; of the others, at most once. */
async function find_killed_saves(day) {
    const {anna} = day.devices;
    const lists = await Promise.all(['task', 'reception_contact'].map(type => anna.lines(['list', type])));
    const held = lists.flat();
    const times = save => held.filter(({type, fields}) => type === save.type && Object.entries(save.fields).every(([name, value]) => fields[name] === value)).length;
    const acknowledged = day.killed.filter(save => save.acknowledged);
    const found = acknowledged.filter(save => times(save) === 1).length;
    const silent = day.killed.filter(save => !save.acknowledged);
    const unanswered = silent.filter(save => times(save) === 1).length;
    const none = silent.filter(save => times(save) === 0).length;
    const doubled = day.killed.filter(save => times(save) > 1).length;
    const stray = held.length - found - unanswered;
    const values = {name: anna.name, acknowledged: acknowledged.length, found, lost: acknowledged.length - found, doubled};
    day.report.check('acknowledged', values, {found: acknowledged.length, doubled: 0, stray: 0}, {found, doubled, stray});
    day.report.check('unanswered', {count: silent.length, whole: unanswered, none}, silent.length, unanswered + none);
}

async function what_was_kept(day) {
    const {report, devices, story, cast} = day;
    report.section('s_kept');
    await find_killed_saves(day);
    const ids = [story.visit, story.flag, story.household, story.person];
    const histories = {};
    await Promise.all(ids.map(async id => (histories[id] = (await devices.anna.lines(['history', id])).filter(event => event.dot))));
    const paragraphs = [cast.story.case_worker_paragraph, cast.story.organiser_paragraph];
    const values = values_written(histories, day.edit_dots, paragraphs);
    const records = Object.fromEntries(day.contents[FILE_HOLDERS.indexOf('anna')].map(record => [record.id, record]));
    const kept = values.filter(value => is_kept(value, records)).length;
    report.holds('kept', {kept, made: values.length}, kept === values.length && kept > 0, values.length, kept);

    const visit = records[story.visit];
    const present = {
        paragraphs: paragraphs.filter(text => visit.fields.observations.split('\n').includes(text)).length,
        first: visit.fields.observations.startsWith(`${cast.story.existing_paragraph}\n`),
        member: records[story.household].fields.members.includes(story.person),
        at_home: visit.fields.present.includes(cast.story.present_added),
        phone: records[story.person].fields.phones?.includes(cast.story.phone),
        trigger: records[story.flag].fields.triggers?.includes(cast.story.trigger_code),
        heating: visit.fields.heating,
    };
    const labels = report.language === 'lv' ? cast.story : cast.story.in_english;
    const wanted = {paragraphs: 2, first: true, member: true, at_home: true, phone: true, trigger: true, heating: 'broken'};
    report.check('kept_list', {trigger: labels.trigger, paragraphs: present.paragraphs}, wanted, present);

    day.items = await devices.anna.lines(['review']);
    report.check('risk_meanwhile', {value: report.text(`risk_${visit.fields.risk_level}`)}, 'high', visit.fields.risk_level);
    const [item] = day.items;
    const of = user => item?.values.filter(value => value.author === user).map(({value}) => value);
    const said = user => of(user)?.map(value => report.text(`risk_${value}`)).join(', ');
    const seen = {count: day.items.length, record: item?.record, field: item?.field, ilze: of('ilze'), maris: of('maris')};
    const one = {count: 1, record: story.visit, field: 'risk_level', ilze: ['high'], maris: ['low']};
    report.check('review_item', {count: day.items.length, ilze: said('ilze'), maris: said('maris')}, one, seen);
    const conflicts = true_conflicts(values);
    const false_ones = day.items.filter(each => !conflicts.has(`${each.record} ${each.field}`)).length;
    report.check('false_conflicts', {count: false_ones, real: conflicts.size, open: day.items.length}, [0, conflicts.size], [false_ones, day.items.length]);

    const kopdarbs = values.length - kept;
    for (const [key, unit] of [['last_write_wins', whole_record], ['last_write_wins_field', whole_field]]) {
        const [lost_1, lost_2] = [['ilze', 'maris'], ['maris', 'ilze']].map(order => lost_by_last_write(values, order, unit).length);
        report.holds(key, {made: values.length, lost_1, lost_2, kopdarbs}, Math.min(lost_1, lost_2) > kopdarbs, '> 0', [lost_1, lost_2]);
    }

    const stamps = Object.values(histories).flat().filter(event => event.author === 'ilze' && day.edit_dots.has(event.dot)).map(event => Date.parse(event.stamp.split('+')[0]));
    const off = stamps.filter(ms => ms < day.began_ms - CLOCK_SLACK_MS || ms > Date.now() + CLOCK_SLACK_MS).length;
    const years = [...new Set(stamps.map(ms => new Date(ms).getUTCFullYear()))].join(', ');
    report.check('clock_harmless', {name: devices.ilze.name, year: day.wrong_year, years}, {off: 0, some: true}, {off, some: stamps.length > 0});
}

async function decide(day) {
    const {report, devices, story} = day;
    const {anna, ilze, maris} = devices;
    const [item] = day.items;
    if (!item) return;
    report.section('s_decision');
    const pick = item.values.findIndex(({value}) => value === 'high');
    const refused = await maris.run(['resolve', item.item, '--pick', String(pick)]);
    report.check('worker_may_not', {name: maris.name}, 1, refused.code);
    const decision = await anna.must(['resolve', item.item, '--pick', String(pick)]);
    const value = item.values[pick].value;
    report.check('supervisor_decides', {name: anna.name, value: report.text(`risk_${value}`)}, story.visit, decision.id);
    await anna.sync();
    await Promise.all([ilze.sync(), maris.sync()]);
    const holders = [ilze, maris, anna];
    const shown = await Promise.all(holders.map(device => device.must(['get', story.visit])));
    const histories = await Promise.all(holders.map(device => device.lines(['history', story.visit])));
    holders.forEach((device, i) => {
        const last = histories[i].find(event => event.dot === decision.dot);
        const found = {risk: shown[i].fields.risk_level, author: last?.author, value: last?.ops[0]?.value, review: shown[i].review.length};
        const values = {device: device.name, value: report.text(`risk_${found.risk}`), author: day.cast.users.find(user => user.id === found.author)?.name};
        report.check('decision_on_device', values, {risk: value, author: 'anna', value, review: 0}, found);
    });
    const earlier = histories[0].filter(event => event.ops).flatMap(event => event.ops).filter(op => op.path[1] === 'risk_level').map(op => op.value);
    report.holds('decision_is_change', {changes: histories[0].filter(event => event.dot).length}, earlier.includes('low') && earlier.includes('high'), ['low', 'high'], earlier);
    const plain = shown.map(plain_record);
    report.check('same_visit', {digest: digest(plain[0])}, plain.map(() => plain[0]), plain);
}

export async function bring_together(day) {
    await both_orders(day);
    await what_was_kept(day);
    await decide(day);
}
