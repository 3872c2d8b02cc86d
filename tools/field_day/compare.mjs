// What devices hold, made comparable; what became of each value that somebody wrote; and bytes sought in files.
import {createHash} from 'node:crypto';
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';

import {canonical_json} from './report.mjs';

export const FILE_TYPES = ['household', 'person', 'home_visit', 'child_risk_flag', 'task'];

/** Kinds of path that `history` prints and that hold what a person wrote. */
const FIELD = 0, ELEMENT = 1, TEXT = 5;

/** A review item without what names a moment or a replica. */
const plain_item = ({record, field, kind, values}) => ({
    record,
    field,
    kind,
    values: values.map(({value, author}) => ({value, author})).sort((a, b) => (canonical_json(a) < canonical_json(b) ? -1 : 1)),
});

export const plain_record = ({id, type, scope, fields, sealed, deleted, review}) => ({id, type, scope, fields, sealed, deleted, review: review.map(plain_item)});

/** Everything that a device shows of its files: fields and review items, without dots and stamps. */
export async function contents(device) {
    const lists = await Promise.all(FILE_TYPES.map(type => device.lines(['list', type])));
    return lists.flat().map(plain_record).sort((a, b) => (a.id < b.id ? -1 : 1));
}

export const digest = value => createHash('sha256').update(canonical_json(value)).digest('hex').slice(0, 12);

/**
 * The values that the changes `dots` wrote, out of the histories {record: events}: {author, record, field, kind, value}. Of a text's
 * change the value is which of `paragraphs` it brought.
 */
export function values_written(histories, dots, paragraphs) {
    const values = [];
    for (const [record, events] of Object.entries(histories)) {
        for (const {dot, author, ops} of events.filter(event => dots.has(event.dot))) {
            for (const {path: [kind, field, element], value} of ops) {
                if (kind === FIELD) values.push({author, record, field, kind: 'field', value});
                if (kind === ELEMENT && value === true) values.push({author, record, field, kind: 'element', value: element});
                if (kind !== TEXT) continue;
                const octets = Buffer.from(value, 'base64');
                values.push({author, record, field, kind: 'text', value: paragraphs.find(text => octets.includes(text)) ?? `unknown text of ${dot}`});
            }
        }
    }
    return values;
}

/** Whether a value is still there for a person to see: shown, or waiting in a review item. */
export function is_kept({record, field, kind, value}, records) {
    const held = records[record];
    const shown = held.fields[field];
    if (kind === 'text') return typeof shown === 'string' && shown.split('\n').includes(value);
    if (kind === 'element') return Array.isArray(shown) && shown.includes(value);
    return shown === value || held.review.some(item => item.field === field && item.values.some(each => each.value === value));
}

/**
 * What would be lost if the last to sync won: `unit` says what is replaced as a whole. Authors sync in `order`; a value is lost when a
 * later author wrote to the same unit without having it.
 */
export function lost_by_last_write(values, order, unit) {
    const same = (a, b) => a.field === b.field && a.kind === b.kind && a.value === b.value;
    return values.filter(value => {
        const rivals = values.filter(other => unit(other) === unit(value) && other.author !== value.author);
        const last = order.findLast(author => author === value.author || rivals.some(rival => rival.author === author));
        return last !== value.author && !rivals.some(rival => rival.author === last && same(rival, value));
    });
}

export const whole_record = value => value.record;
export const whole_field = value => `${value.record} ${value.field}`;

/** Fields to which two authors wrote different values: what a person has to decide, and nothing else. */
export function true_conflicts(values) {
    const fields = values.filter(value => value.kind === 'field');
    const differ = a => fields.some(b => whole_field(a) === whole_field(b) && a.author !== b.author && a.value !== b.value);
    return new Set(fields.filter(differ).map(whole_field));
}

/** Finds many byte strings, each of four bytes or more, in one pass. */
export class Seeker {
    constructor(needles) {
        this.by_start = new Map();
        this.starts = new Uint8Array(65536);
        for (const needle of new Set(needles)) {
            const octets = Buffer.from(needle);
            const start = octets.readUInt32BE(0);
            this.starts[(start ^ (start >>> 16)) & 0xffff] = 1;
            if (!this.by_start.has(start)) this.by_start.set(start, []);
            this.by_start.get(start).push({octets, needle});
        }
    }

    /** Those that are in `octets`. */
    in(octets) {
        const found = new Set();
        let start = 0;
        for (let i = 0; i < octets.length; ++i) {
            start = ((start << 8) | octets[i]) >>> 0;
            if (this.starts[(start ^ (start >>> 16)) & 0xffff] === 0) continue;
            for (const {octets: sought, needle} of this.by_start.get(start) ?? []) {
                if (octets.subarray(i - 3, i - 3 + sought.length).equals(sought)) found.add(needle);
            }
        }
        return found;
    }
}

export const files_of = dir => readdirSync(dir).sort().map(name => ({name, octets: readFileSync(path.join(dir, name))}));
