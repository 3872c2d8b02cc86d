// The line between the devices and the server: a TCP relay on 127.0.0.1 that can be cut, and that can do something in mid-transfer.
import net from 'node:net';

export class Line {
    constructor() {
        this.sockets = new Set();
        this.whole = true;
        this.port = undefined; // the server's
        this.octets = 0;       // both directions, TLS included
        this.turned_away = 0;
        this.waiting = [];     // for the next connection that is turned away
    }

    async open() {
        this.door = net.createServer({pauseOnConnect: true}, socket => this.#connect(socket));
        await new Promise((done, failed) => this.door.once('error', failed).listen(0, '127.0.0.1', done));
        this.url = `https://127.0.0.1:${this.door.address().port}`;
    }

    close() {
        this.cut();
        this.door?.close();
    }

    cut() {
        this.whole = false;
        this.#drop_all();
    }

    restore() {
        this.whole = true;
    }

    /** Breaks what is under way; the next connection goes through. */
    #drop_all() {
        for (const socket of this.sockets) socket.destroy();
    }

    /** After `octets` more, once: 'line' breaks the connections; a function is called. Returns {fired}. */
    after(octets, what) {
        this.trap = {at: this.octets + octets, octets, what: what === 'line' ? () => this.#drop_all() : what, fired: false};
        return this.trap;
    }

    next_turned_away() {
        return new Promise(done => this.waiting.push(done));
    }

    #connect(socket) {
        if (!this.whole || this.port === undefined) {
            ++this.turned_away;
            socket.destroy();
            for (const done of this.waiting.splice(0)) done();
            return;
        }
        const server = net.connect(this.port, '127.0.0.1');
        for (const [from, to] of [[socket, server], [server, socket]]) {
            this.sockets.add(from);
            from.on('error', () => {}).on('close', () => {
                this.sockets.delete(from);
                to.destroy();
            });
            from.on('end', () => to.end());
            from.on('data', octets => this.#relay(from, to, octets));
        }
        socket.resume();
    }

    #relay(from, to, octets) {
        const trap = this.trap;
        if (trap && !trap.fired && this.octets + octets.length >= trap.at) {
            to.write(octets.subarray(0, trap.at - this.octets));
            trap.fired = true;
            this.octets = trap.at;
            trap.what();
            return;
        }
        this.octets += octets.length;
        if (!to.write(octets)) {
            from.pause();
            to.once('drain', () => from.resume());
        }
    }
}
