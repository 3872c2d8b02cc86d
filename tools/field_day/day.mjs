// The field day: two workers, one family, no signal, with the shipped programs. tools/demo runs it; README.md is the map.
//
//   node tools/field_day/day.mjs --bin DIR [--seed N] [--lang lv|en] [--keep]
//
// Everything lives in one scratch directory; the server and the line listen on 127.0.0.1 only. Exit 0 if every claim held, 1 if not,
// 2 for wrong usage.
import {accessSync, constants, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';

import {Chance} from './chance.mjs';
import {compose} from './compose.mjs';
import {Line} from './line.mjs';
import {work_offline} from './offline.mjs';
import {kill_all, speak, Unexpected} from './programs.mjs';
import {measure_quiet_sync, prove} from './proof.mjs';
import {Report} from './report.mjs';
import {set_up} from './setting_up.mjs';
import {bring_together} from './together.mjs';

function usage(why) {
    process.stderr.write(`demo: ${why}\n`);
    process.exit(2);
}

function options() {
    let values;
    try {
        ({values} = parseArgs({options: {bin: {type: 'string'}, seed: {type: 'string', default: '1'}, lang: {type: 'string', default: 'en'}, keep: {type: 'boolean', default: false}}}));
    } catch (error) {
        usage(error.message);
    }
    if (!/^\d{1,15}$/.test(values.seed)) usage(`--seed: '${values.seed}' is not a number`);
    if (!['lv', 'en'].includes(values.lang)) usage(`--lang: '${values.lang}' is neither lv nor en`);
    if (!values.bin) usage('--bin is missing');
    const bin = path.resolve(values.bin);
    for (const program of ['kopdarbs', 'kopdarbsd']) {
        try {
            accessSync(path.join(bin, program), constants.X_OK);
        } catch {
            usage(`there is no program ${path.join(bin, program)}`);
        }
    }
    return {...values, bin};
}

const data = name => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));

/** Whatever ends the demo, its processes end too, and without --keep its files. */
function clean_up_at_exit(scratch, keep) {
    process.on('exit', () => {
        kill_all();
        if (!keep) rmSync(scratch, {recursive: true, force: true, maxRetries: 3});
    });
    for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) process.on(signal, () => process.exit(code));
    process.stdout.on('error', () => process.exit(1)); // nobody reads any more
}

function look_yourself(day, {keep, bin, seed, lang}) {
    const {report, devices, story} = day;
    report.section('s_look');
    const shown = path.relative('', path.join(bin, 'kopdarbs'));
    const program = shown.startsWith('..') ? path.join(bin, 'kopdarbs') : shown.includes('/') ? shown : `./${shown}`;
    if (!keep) {
        report.command('look_keep', `tools/demo --keep --seed ${seed} --lang ${lang}`);
        return;
    }
    const on = (device, command) => `KOPDARBS_SECRET='${device.secret}' ${program} ${command}`;
    report.command('look_get', on(devices.anna, `get ${devices.anna.dir} ${story.visit}`));
    report.command('look_search', on(devices.maris, `search ${devices.maris.dir} vecmamina`));
    report.command('look_verify', `${program}d verify ${day.server.dir}`);
}

async function main() {
    const chosen = options();
    const cast = data('cast.json');
    const report = new Report(cast.says, chosen.lang);
    const scratch = mkdtempSync(path.join(os.tmpdir(), 'kopdarbs-field-day-'));
    clean_up_at_exit(scratch, chosen.keep);
    speak(chosen.lang);
    const chance = new Chance(chosen.seed);
    const day = {
        report, cast, chance, scratch,
        bin: chosen.bin,
        line: new Line(),
        records: compose(cast, data('phrases.json'), chance.of('records')),
        plain_text: [], // files that hold what the vaults must not show
        began_ms: Date.now(),
    };
    report.title('title');
    report.plain('synthetic');
    report.plain('seed', {seed: chosen.seed});
    try {
        await day.line.open();
        await set_up(day);
        await measure_quiet_sync(day);
        await work_offline(day);
        await bring_together(day);
        await prove(day);
        look_yourself(day, chosen);
    } catch (error) {
        if (!(error instanceof Unexpected)) throw error;
        report.unexpected(error.result);
    }
    day.line.close();
    report.print();
    const seconds = Math.round((Date.now() - day.began_ms) / 1000);
    if (report.failures === 0) report.title('done', {checks: report.checks, seconds});
    else report.title('done_failed', {failures: report.failures, checks: report.checks, seconds});
    if (chosen.keep) report.plain('cleanup', {dir: scratch});
    process.exit(report.failures === 0 ? 0 : 1);
}

await main();
