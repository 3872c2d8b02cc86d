// Everything that happens by chance in the field day, from one seed.
//
// A chance is asked for by name, so that what happens elsewhere, or in which order, changes nothing here: the same seed gives the same
// visits, secrets and moments.
import {createHash} from 'node:crypto';

const WORDS = `akmens alksnis avots baravika bebrs bruklene cielava dadzis dundurs dzenis gaigala gredzens irbene kamene kastanis kumode lazda
    magone mellene migla naktsvijole ogles ozols paparde pienene purene rudens saule smilga stirna strazds upmala vanags vilnis vizbulis
    zemene ziemelis zirneklis`.split(/\s+/);

export class Chance {
    constructor(seed, name = '') {
        this.name = `${seed}/${name}`;
        this.count = 0;
        this.left = Buffer.alloc(0);
    }

    /** A chance of its own, decided by this one's seed and the name alone. */
    of(name) {
        return new Chance(this.name, name);
    }

    bytes(n) {
        while (this.left.length < n) {
            this.left = Buffer.concat([this.left, createHash('sha256').update(`${this.name}#${this.count++}`).digest()]);
        }
        const taken = this.left.subarray(0, n);
        this.left = this.left.subarray(n);
        return taken;
    }

    /** From 0 inclusive to 1 exclusive. */
    fraction() {
        return this.bytes(6).readUIntBE(0, 6) / 2 ** 48;
    }

    /** Both ends included. */
    integer(least, most) {
        return least + Math.floor(this.fraction() * (most - least + 1));
    }

    happens(probability) {
        return this.fraction() < probability;
    }

    pick(list) {
        return list[this.integer(0, list.length - 1)];
    }

    /** One of {name: weight}. */
    weighted(weights) {
        const all = Object.entries(weights);
        let at = this.fraction() * all.reduce((sum, [, weight]) => sum + weight, 0);
        for (const [name, weight] of all) {
            at -= weight;
            if (at < 0) return name;
        }
        return all.at(-1)[0];
    }

    shuffled(list) {
        const out = [...list];
        for (let i = out.length - 1; i > 0; --i) {
            const j = this.integer(0, i);
            [out[i], out[j]] = [out[j], out[i]];
        }
        return out;
    }

    /** A record's id (UUID version 7) as if it were made at `unix_ms`. */
    record_id(unix_ms) {
        const octets = Buffer.concat([Buffer.alloc(6), this.bytes(10)]);
        octets.writeUIntBE(unix_ms, 0, 6);
        octets[6] = 0x70 | (octets[6] & 0x0f);
        octets[8] = 0x80 | (octets[8] & 0x3f);
        return octets.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    }

    /** A vault's secret: four words. */
    secret() {
        return this.shuffled(WORDS).slice(0, 4).join(' ');
    }
}
