// The municipality's records: households, persons and some 300 home visits, composed from phrases.json as its `about.compose` says.
//
// The texts stay Latvian whatever language the demo speaks. Dates lie between the cast's first assignments and the end of October.

const FIRST_DAY = Date.UTC(2026, 0, 7);
const LAST_DAY = Date.UTC(2026, 9, 30);
const DAY_MS = 86_400_000;
const COLD_MONTHS = [1, 2, 3, 4, 10, 11, 12];
const FAMILY_STATUS = {none: 5, 'trūcīga': 3, 'maznodrošināta': 4};
const STAYS_AS_IT_IS = 0.75; // the heating from one visit to the next
const HAS_CLOSING = 0.5;

/** Summer time in Latvia: from the last Sunday of March to the last of October. */
function riga_offset(day_ms) {
    const day = new Date(day_ms);
    const last_sunday = month => {
        const end = new Date(Date.UTC(day.getUTCFullYear(), month + 1, 0));
        return end.getTime() - end.getUTCDay() * DAY_MS;
    };
    return day_ms >= last_sunday(2) && day_ms < last_sunday(9) ? '+03:00' : '+02:00';
}

function date_time(day_ms, minutes) {
    const two = n => String(n).padStart(2, '0');
    return `${new Date(day_ms).toISOString().slice(0, 10)}T${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:00${riga_offset(day_ms)}`;
}

/** `count` working days, in order. */
function working_days(count, chance) {
    const days = new Set();
    while (days.size < count) {
        const day = FIRST_DAY + chance.integer(0, (LAST_DAY - FIRST_DAY) / DAY_MS) * DAY_MS;
        const weekday = new Date(day).getUTCDay();
        if (weekday >= 1 && weekday <= 5) days.add(day);
    }
    return [...days].sort((a, b) => a - b);
}

/** Gives what was not given before while there is such. */
class Unspent {
    constructor() {
        this.spent = new Map();
    }
    /** `ordered`: the first of them, else any. */
    take(list, chance, ordered = false) {
        const times = text => this.spent.get(text) ?? 0;
        const least = Math.min(...list.map(times));
        const fresh = list.filter(text => times(text) === least);
        const text = ordered ? fresh[0] : chance.pick(fresh);
        this.spent.set(text, least + 1);
        return text;
    }
    is_spent(text) {
        return this.spent.has(text);
    }
}

/** The visits of one file, as one history. */
class Visits {
    constructor(phrases, file, chance) {
        this.phrases = phrases;
        this.file = file;
        this.chance = chance;
        this.unspent = new Unspent();
        this.themes_seen = new Set();
        this.heating = undefined;
        this.themes = file.themes.map(id => phrases.themes.find(theme => theme.id === id));
    }

    all() {
        const days = working_days(this.file.visits, this.chance);
        return days.map((day, i) => this.visit(day, i / days.length));
    }

    visit(day, progress) {
        const outcome = this.chance.weighted(this.phrases.shares);
        const theme = outcome === 'done' ? this.theme_at(day, progress) : undefined;
        const fields = theme ? this.done(theme, day) : this.unopened(outcome);
        const begins = this.chance.integer(9 * 12, 17 * 12) * 5;
        const minutes = this.phrases.minutes;
        return {
            started_at: date_time(day, begins),
            ended_at: date_time(day, begins + this.chance.integer(...minutes[outcome])),
            place: this.file.place,
            outcome,
            travel_minutes: this.chance.integer(...minutes.travel),
            ...fields,
        };
    }

    /** The file's themes go by in their order; one that does not fit the month or is done with leaves its turn to another. */
    theme_at(day, progress) {
        const month = new Date(day).getUTCMonth() + 1;
        const fits = theme => (!theme.months || theme.months.includes(month)) && !(theme.once && this.themes_seen.has(theme.id));
        const turn = Math.floor(progress * this.themes.length);
        const order = [...this.themes.slice(0, turn + 1).reverse(), ...this.themes.slice(turn + 1)];
        return order.find(fits) ?? this.themes[turn];
    }

    done(theme, day) {
        const notice_given = this.notice(theme);
        const first = !this.themes_seen.has(theme.id);
        this.themes_seen.add(theme.id);
        this.heating = this.heating_now(theme);
        const present = theme.present_by === 'file' ? theme.present[this.file.present % theme.present.length] : this.chance.pick(theme.present);
        const risk_level = this.chance.pick(theme.risk);
        const cold = COLD_MONTHS.includes(new Date(day).getUTCMonth() + 1);
        const openings = this.phrases.openings[notice_given ? 'announced' : 'unannounced'];
        const paragraphs = [
            this.chance.pick(openings).replace('{present}', present.join(', ')),
            ...this.observed(theme, first),
            this.chance.pick(this.phrases.heating_notes[this.heating][cold ? 'cold' : 'warm']),
        ];
        if (['low', 'medium'].includes(risk_level) && this.chance.happens(HAS_CLOSING)) paragraphs.push(this.chance.pick(this.phrases.closings));
        return {
            notice_given,
            present,
            risk_level,
            housing: this.file.housing,
            heating: this.heating,
            observations: paragraphs.join('\n'),
            client_view: this.unspent.take(theme.client_view, this.chance),
        };
    }

    observed(theme, first) {
        const own_spent = theme.observations.every(text => this.unspent.is_spent(text));
        const count = first ? this.chance.integer(2, 3) : this.chance.integer(1, 2);
        const paragraphs = [];
        for (let i = 0; i < Math.min(count, theme.observations.length); ++i) {
            paragraphs.push(this.unspent.take(theme.observations, this.chance, true));
        }
        const again = theme.revisit ?? [];
        if (first || again.length === 0) return paragraphs;
        const pool = again.flatMap(group => this.phrases.revisit[group]);
        const revisits = Array.from({length: own_spent ? 2 : 1}, () => this.unspent.take(pool, this.chance));
        return own_spent ? revisits : [...revisits, ...paragraphs];
    }

    /** Nobody home, or the client refused. */
    unopened(outcome) {
        const fits = theme => theme.outcome === outcome && ['any', this.file.client.sex].includes(theme.client.sex);
        const themes = this.phrases.themes.filter(fits);
        const id = this.chance.weighted(Object.fromEntries(themes.map(theme => [theme.id, theme.weight])));
        const theme = themes.find(each => each.id === id);
        const fields = {
            notice_given: this.notice(theme),
            present: this.chance.pick(theme.present),
            risk_level: this.chance.pick(theme.risk),
            observations: this.unspent.take(theme.observations, this.chance),
        };
        if (theme.client_view.length > 0) fields.client_view = this.unspent.take(theme.client_view, this.chance);
        return fields;
    }

    notice(theme) {
        return theme.notice ? this.chance.pick(theme.notice) : this.chance.happens(0.5);
    }

    heating_now(theme) {
        const possible = this.file.heating.filter(heating => theme.heating.includes(heating));
        if (possible.includes(this.heating) && this.chance.happens(STAYS_AS_IT_IS)) return this.heating;
        return possible.length > 0 ? this.chance.pick(possible) : this.file.heating[0];
    }
}

function person_fields(client, place, nr) {
    const fields = {given_name: client.given_name, surname: client.surname, address: place, language: client.language ?? 'lv'};
    if (client.personal_code) fields.personal_code = client.personal_code;
    else fields.phones = [`+371 1000${String(1000 + nr)}`]; // no subscriber's number begins with 1
    return fields;
}

/**
 * {households, persons, visits}: lists of records as `import` takes them, each {id, scope, ...fields}; `by_file` gives a file's
 * {household, client}; `follow_up` its unfinished business.
 */
export function compose(cast, phrases, chance) {
    const records = {households: [], persons: [], visits: [], by_file: {}, follow_up: {}};
    Object.entries(phrases.households).forEach(([scope, file], nr) => {
        const own = chance.of(scope);
        const id = () => own.record_id(FIRST_DAY + nr);
        const add_person = fields => {
            const person = {id: id(), scope, ...fields};
            records.persons.push(person);
            return person;
        };
        const story = scope === cast.story.file ? cast.story : undefined;
        const client = add_person(person_fields(story?.mother ?? file.client, file.place, nr));
        const others = story ? [story.son, story.daughter].map(child => add_person({...child, address: file.place}).id) : [];
        const household = {
            id: id(),
            scope,
            address: file.place,
            members: [client.id, ...others],
            applicant: client.id,
            income_status: own.weighted(FAMILY_STATUS),
        };
        records.households.push(household);
        records.by_file[scope] = {household, client, others};
        const visits = new Visits(phrases, file, own);
        for (const fields of visits.all()) records.visits.push({id: own.record_id(Date.parse(fields.started_at)), scope, household: household.id, ...fields});
        records.follow_up[scope] = visits.themes.flatMap(theme => theme.follow_up);
    });
    return records;
}
