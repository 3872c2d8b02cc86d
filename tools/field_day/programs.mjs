// The shipped programs as child processes: kopdarbs on a device, kopdarbsd on the server.
//
// Two commands run at a time: each spends a core on its secret. Whatever is still running when the demo ends is killed.
import {spawn} from 'node:child_process';
import {existsSync, readdirSync, watch} from 'node:fs';
import path from 'node:path';
import {performance} from 'node:perf_hooks';

const AT_A_TIME = 2;
const COMMAND_MS = 120_000;
const READY_MS = 30_000;

const running = new Set();
const common_environment = {NO_COLOR: '1'};

/** What the programs say to people is said in this language. */
export function speak(language) {
    common_environment.LANG = language === 'lv' ? 'lv_LV.UTF-8' : 'C.UTF-8';
}


export function kill_all() {
    for (const child of running) child.kill('SIGKILL');
}

/** A command that did not do what the demo cannot go on without. */
export class Unexpected extends Error {
    constructor(result) {
        super(result.command);
        this.result = result;
    }
}

const shown = word => (/^[\w./:=@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

class Turns {
    constructor(places) {
        this.free = places;
        this.queue = [];
    }
    async take() {
        if (this.free > 0) --this.free;
        else await new Promise(go => this.queue.push(go));
    }
    give() {
        const next = this.queue.shift();
        if (next) next();
        else ++this.free;
    }
}
const turns = new Turns(AT_A_TIME);

/** The library that gives a process another clock, wherever the system keeps it. */
export function faketime_library() {
    const roots = ['/usr/lib', '/usr/lib64', '/usr/local/lib'];
    const folders = roots.flatMap(root => [root, ...(existsSync(root) ? readdirSync(root).map(name => path.join(root, name)) : [])]);
    return folders.map(folder => path.join(folder, 'faketime', 'libfaketime.so.1')).find(existsSync);
}

function start(program, argv, env, input) {
    const child = spawn(program, argv, {env: {...process.env, ...common_environment, ...env}, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']});
    running.add(child);
    const result = {command: [program, ...argv].map(shown).join(' '), out: '', err: '', code: null, signal: null, ms: 0};
    const began = performance.now();
    for (const [stream, name] of [[child.stdout, 'out'], [child.stderr, 'err']]) stream.setEncoding('utf8').on('data', text => (result[name] += text));
    child.stdin?.on('error', () => {}).end(input);
    const ended = new Promise((done, failed) => {
        child.on('error', failed);
        child.on('close', (code, signal) => {
            running.delete(child);
            done(Object.assign(result, {code, signal, ms: performance.now() - began}));
        });
    });
    return {child, result, ended};
}

/** Runs to its end: {code, signal, out, err, ms, command}. `meanwhile(child)` is called once it runs. */
async function run(program, argv, {env = {}, input, meanwhile} = {}) {
    await turns.take();
    const {child, ended} = start(program, argv, env, input);
    const limit = setTimeout(() => child.kill('SIGKILL'), COMMAND_MS);
    try {
        meanwhile?.(child);
        return await ended;
    } finally {
        clearTimeout(limit);
        turns.give();
    }
}

export const json_lines = text => text.split('\n').filter(line => line !== '').map(line => JSON.parse(line));

/** What a save that was acknowledged printed; undefined if it was not. */
export function saved(result) {
    try {
        const printed = JSON.parse(result.out);
        return printed.dot ? printed : undefined;
    } catch {
        return undefined;
    }
}

export class Device {
    constructor(bin, {user, name, dir, secret}) {
        this.program = path.join(bin, 'kopdarbs');
        this.user = user;
        this.name = name;
        this.dir = dir;
        this.secret = secret;
        this.clock = {}; // environment that gives the device another clock
    }

    /** The same device, from a copy of its vault. */
    at(dir) {
        return Object.assign(Object.create(Device.prototype), this, {dir});
    }

    run([command, ...rest], {json = true, ...options} = {}) {
        const argv = [command, this.dir, ...rest, ...(json ? ['--json'] : [])];
        return run(this.program, argv, {...options, env: {KOPDARBS_SECRET: this.secret, ...this.clock, ...options.env}});
    }

    /** Must exit with 0: the JSON lines that it printed. */
    async lines(argv, options) {
        const result = await this.run(argv, options);
        if (result.code !== 0) throw new Unexpected(result);
        return json_lines(result.out);
    }

    async must(argv, options) {
        return (await this.lines(argv, options))[0];
    }

    sync(options) {
        return this.must(['sync'], options);
    }

    /** kill -9 when `moment` comes: {after_ms}, {at_write, later_ms} or {when_acknowledged}. Returns the result, with `hit` if it was still running. */
    async run_and_kill(argv, moment) {
        let watcher;
        let timer;
        const meanwhile = child => {
            const shoot = ms => (timer ??= setTimeout(() => child.kill('SIGKILL'), ms));
            if (moment.after_ms !== undefined) shoot(moment.after_ms);
            if (moment.when_acknowledged) child.stdout.once('data', () => shoot(0));
            let writes = 0;
            watcher = watch(this.dir, () => {
                if (++writes === moment.at_write) shoot(moment.later_ms);
            });
        };
        const result = await this.run(argv, {meanwhile});
        watcher.close();
        clearTimeout(timer);
        return {...result, hit: result.signal === 'SIGKILL'};
    }
}

export class Server {
    constructor(bin, dir) {
        this.program = path.join(bin, 'kopdarbsd');
        this.dir = dir;
    }

    run([command, ...rest]) {
        return run(this.program, [command, this.dir, ...rest]);
    }

    async must(argv) {
        const result = await this.run(argv);
        if (result.code !== 0) throw new Unexpected(result);
        return result.out;
    }

    /** Serves on a free port of 127.0.0.1, which it returns. */
    async serve() {
        this.process = start(this.program, ['serve', this.dir, '--listen', '127.0.0.1:0'], {});
        const {child, result, ended} = this.process;
        const limit = setTimeout(() => child.kill('SIGKILL'), READY_MS);
        try {
            while (!/listening on (\S+)\n/.test(result.out)) {
                await Promise.race([ended, new Promise(done => child.stdout.once('data', done))]);
                if (result.code !== null || result.signal !== null) throw new Unexpected(result);
            }
        } finally {
            clearTimeout(limit);
        }
        this.url = /listening on (\S+)\n/.exec(result.out)[1];
        return Number(new URL(this.url).port);
    }

    kill() {
        this.process.child.kill('SIGKILL');
    }

    ended() {
        return this.process.ended;
    }

    /** SIGTERM: finishes what it was doing. */
    async stop() {
        this.process.child.kill('SIGTERM');
        const result = await this.process.ended;
        if (result.code !== 0) throw new Unexpected(result);
        return result;
    }
}
