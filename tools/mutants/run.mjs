// The loop of tools/mutate: one mutant at a time is put into a copy of the sources, built, and must make a test fail.
import {spawn} from 'node:child_process';
import {readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

import {random_mutants} from './random.mjs';
import {sabotages} from './sabotages.mjs';

const [tree, build, jobs, ...options] = process.argv.slice(2);
const option = (name, otherwise) => (options.includes(name) ? options[options.indexOf(name) + 1] : otherwise);
const bin = join(build, 'bin');

/** What must fail, the fastest first; those of a stage run side by side. */
const everything = [
    {
        targets: ['tests-unit', 'tests-property', 'tests-golden', 'tests-threads'],
        runs: ['tests-property', 'tests-unit', 'tests-golden', 'tests-threads'].map((room) => [room, '--abort']),
    },
    {targets: ['kopdarbs-simulate'], runs: [['kopdarbs-simulate', '--seeds', '1..80']]},
    {targets: ['tests-fault', 'tests-e2e'], runs: [['tests-fault', '--abort'], ['tests-e2e', '--abort']]},
];
/** With --by-simulation: the simulation alone, over 200 seeds. */
const simulation = [
    {targets: ['kopdarbs-simulate'], runs: ['1..100', '101..200'].map((seeds) => ['kopdarbs-simulate', '--jobs', '1', '--seeds', seeds])},
];
const stages = options.includes('--by-simulation') ? simulation : everything;
const random_rooms = ['core/record', 'core/log', 'sync/protocol'];
const kPatience = 6; // times as long as the sound program takes

/** Runs a program; resolves to {code, seconds}, code null when it was stopped. */
function run(program, args, seconds, children = new Set()) {
    return new Promise((resolve) => {
        const began = Date.now();
        const child = spawn(program, args, {stdio: 'ignore', detached: true});
        children.add(child);
        let stopped = false;
        const timer = setTimeout(() => {
            stopped = true;
            stop(child);
        }, seconds * 1000);
        child.on('error', (error) => { throw error; });
        child.on('exit', (code) => {
            clearTimeout(timer);
            children.delete(child);
            resolve({code, stopped, seconds: (Date.now() - began) / 1000});
        });
    });
}

function stop(child) {
    try {
        process.kill(-child.pid, 'SIGKILL');
    } catch {
        // It ended by itself.
    }
}

const make = (targets) => run('cmake', ['--build', build, '--parallel', jobs, '--target', ...targets], 1800);

/** Runs a stage; the first program that fails ends the others. Resolves to its name, or null. */
async function failing(stage, patience) {
    const children = new Set();
    let culprit = null;
    await Promise.all(stage.runs.map(async ([program, ...args], i) => {
        const {code, seconds, stopped} = await run(join(bin, program), args, patience ? stage.seconds[i] * kPatience + 20 : 1800, children);
        if (stage.seconds[i] === undefined) stage.seconds[i] = seconds;
        if (code === 0 || culprit !== null) return;
        culprit = code !== null ? program : `${program}, which ${stopped ? 'did not end in time' : 'crashed'}`;
        children.forEach(stop);
    }));
    return culprit;
}

async function verdict(mutant) {
    const path = join(tree, mutant.file), sound = readFileSync(path, 'utf8');
    writeFileSync(path, mutant.text);
    try {
        for (const stage of stages) {
            if ((await make(stage.targets)).code !== 0) return {what: 'does not compile'};
            const culprit = await failing(stage, true);
            if (culprit !== null) return {what: 'killed', by: culprit};
        }
        return {what: 'SURVIVED'};
    } finally {
        writeFileSync(path, sound);
    }
}

/** A sabotage as a mutant; the list must be true of the sources as they are. */
function sabotaged({name, file, find, replace}) {
    const text = readFileSync(join(tree, file), 'utf8'), parts = text.split(find);
    if (parts.length !== 2) throw new Error(`${name}: its text stands ${parts.length - 1} times in ${file}`);
    return {name, file, text: parts.join(replace)};
}

async function judge(title, mutants, count, redraw) {
    let killed = 0;
    const survivors = [];
    for (const mutant of mutants) {
        if (killed + survivors.length === count) break;
        if (mutant.same) {
            console.log(`same            ${mutant.name}: ${mutant.same}`);
            continue;
        }
        const began = Date.now(), {what, by} = await verdict(mutant);
        if (what === 'does not compile' && redraw) continue;
        if (what === 'killed') ++killed;
        else survivors.push(`${mutant.name} (${what})`);
        console.log(`${what.padEnd(8)} ${String(Math.round((Date.now() - began) / 1000)).padStart(4)} s  ${mutant.name}${by ? `  [${by}]` : ''}`);
    }
    console.log(`${title}: ${killed} killed, ${survivors.length} survived`);
    for (const name of survivors) console.log(`  ${name}`);
    return {killed, survived: survivors.length};
}

const only = option('--only'), seed = Number(option('--seed', 1)), count = Number(option('--count', 40));
const listed = sabotages
    .slice(Number(option('--skip', 0)))
    .filter((s) => (only === undefined || new RegExp(only).test(s.name)) && (stages === everything || s.planted))
    .map(sabotaged);
if (listed.length === 0 && !options.includes('--random')) throw new Error('no sabotage is called so');
const known = ['--list', '--sabotages', '--random', '--by-simulation', '--only', '--skip', '--seed', '--count'];
for (const word of options) if (word.startsWith('--') && !known.includes(word)) throw new Error(`no option is called ${word}`);
if (options.includes('--list')) {
    for (const {name, file} of listed) console.log(`${file}: ${name}`);
    process.exit();
}
const rooms = random_rooms.flatMap((room) => readdirSync(join(tree, room)).filter((f) => f.endsWith('.cpp')).map((f) => join(room, f)));

for (const stage of stages) {
    stage.seconds = [];
    if ((await make(stage.targets)).code !== 0) throw new Error('the sound program does not build');
    const culprit = await failing(stage, false);
    if (culprit !== null) throw new Error(`the sound program fails ${culprit}`);
}
let sound = true;
if (!options.includes('--random')) sound = (await judge('sabotages', listed, Infinity, false)).survived === 0;
if (!options.includes('--sabotages') && stages === everything && only === undefined) {
    const mutants = random_mutants(rooms.map((file) => ({file, text: readFileSync(join(tree, file), 'utf8')})), seed);
    const {killed, survived} = await judge(`random mutants of seed ${seed}`, mutants, count, true);
    sound = sound && killed >= 0.9 * (killed + survived);
}
process.exit(sound ? 0 : 1);
