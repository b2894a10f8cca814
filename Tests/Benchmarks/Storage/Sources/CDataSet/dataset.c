#include "CDataSet.h"

#include <stdio.h>
#include <string.h>

const int64_t data_set_epoch = 1700000000000000;
const char *const data_set_method = "guildhall.membership.v1.Membership/AddMember";
const char *const data_set_event_kind = "guildhall.membership.v1.MembershipState";

static const char *const given_names[] = {
    "Ada", "Berta", "Carl", "Dora", "Emil", "Frida", "Georg", "Hanna",
    "Ida", "Jonas", "Klara", "Lukas", "Mira", "Nils", "Olga", "Paul"};
static const char *const family_names[] = {
    "Albers", "Brandt", "Conrad", "Dreyer", "Ebert", "Fuchs", "Gerlach", "Hartmann",
    "Iversen", "Jansen", "Keller", "Lorenz", "Moser", "Neumann", "Otto", "Peters"};
static const char *const places[] = {
    "Ahrensburg", "Bergedorf", "Clausthal", "Dornbirn", "Eimsbuettel", "Freiburg", "Goslar",
    "Hildesheim", "Ilmenau", "Jesteburg", "Kreuzlingen", "Lindenhof", "Meersburg", "Nordhausen",
    "Oldenburg", "Pinneberg"};
static const char *const schools[] = {
    "Primary School", "Music School", "Sports Club", "Comprehensive School",
    "Evening College", "Kindergarten", "Training Centre", "Library"};

uint64_t data_set_mix(uint64_t number) {
    number += 0x9e3779b97f4a7c15;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
    number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
    return number ^ (number >> 31);
}

struct data_set data_set_make(uint64_t organizations, uint64_t memberships) {
    struct data_set set = {
        .organizations = organizations, .memberships = memberships, .users = memberships / 2};
    uint64_t left = organizations;
    for (int level = DATA_SET_LEVELS; level > 1; level--) {
        set.level_count[level] = left / 2;
        left -= set.level_count[level];
        set.level_first[level] = left;
    }
    set.level_count[1] = left;
    return set;
}

void data_set_identifier(enum data_set_kind kind, uint64_t number, uint8_t *bytes) {
    uint64_t milliseconds = (uint64_t)data_set_epoch / 1000 + number;
    uint64_t random = data_set_mix(number * 4 + kind);
    for (int index = 0; index < 6; index++) bytes[index] = milliseconds >> (40 - 8 * index);
    bytes[6] = 0x70 | kind;
    bytes[7] = 0;
    for (int index = 0; index < 8; index++) bytes[8 + index] = random >> (56 - 8 * index);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
}

void data_set_identifier_text(enum data_set_kind kind, uint64_t number, char *text) {
    uint8_t bytes[16];
    data_set_identifier(kind, number, bytes);
    for (int index = 0; index < 16; index++) {
        if (index == 4 || index == 6 || index == 8 || index == 10) *text++ = '-';
        text += sprintf(text, "%02x", bytes[index]);
    }
}

int data_set_level(const struct data_set *set, uint64_t organization) {
    int level = DATA_SET_LEVELS;
    while (organization < set->level_first[level]) level--;
    return level;
}

int64_t data_set_parent(const struct data_set *set, uint64_t organization) {
    int level = data_set_level(set, organization);
    if (level == 1) return -1;
    // A level has twice as many as the one above: one in 25 there has 50 children each.
    uint64_t group = (organization - set->level_first[level]) / DATA_SET_CHILDREN;
    uint64_t parent = group * (DATA_SET_CHILDREN / 2) % set->level_count[level - 1];
    return (int64_t)(set->level_first[level - 1] + parent);
}

void data_set_title(uint64_t organization, char *text) {
    uint64_t mixed = data_set_mix(organization);
    snprintf(
        text, DATA_SET_TEXT_BYTES, "%s %s %07llu", places[mixed % 16], schools[mixed / 16 % 8],
        (unsigned long long)organization);
}

static void lower(char *text) {
    for (; *text; text++) {
        if (*text >= 'A' && *text <= 'Z') *text += 'a' - 'A';
    }
}

void data_set_title_key(uint64_t organization, char *text) {
    data_set_title(organization, text);
    lower(text);
}

void data_set_email(uint64_t user, char *text) {
    snprintf(
        text, DATA_SET_TEXT_BYTES, "person%08llu@example.org", (unsigned long long)user);
}

void data_set_name(uint64_t user, char *text) {
    uint64_t mixed = data_set_mix(user);
    snprintf(
        text, DATA_SET_TEXT_BYTES, "%s %s", given_names[mixed % 16],
        family_names[mixed / 16 % 16]);
}

void data_set_name_key(uint64_t user, char *text) {
    data_set_name(user, text);
    lower(text);
}

uint64_t data_set_organization_of(const struct data_set *set, uint64_t membership) {
    uint64_t groups = set->memberships / DATA_SET_MEMBERS;
    return membership / DATA_SET_MEMBERS * (set->organizations / groups) + 5;
}

uint64_t data_set_user_of(const struct data_set *set, uint64_t membership) {
    return membership * 7919 % set->users;
}

void data_set_command_make(
    const struct data_set *set, uint64_t number, struct data_set_command *command) {
    // No two commands, and none and a membership of before, are of the same user and organization:
    // digits of organizations differ from 5, and between commands of the same user.
    uint64_t user = number * 7919 % set->users;
    uint64_t digit = (number / set->users + data_set_mix(user)) % 9;
    uint64_t level_count = set->level_count[DATA_SET_LEVELS] / 10 * 10;
    uint64_t first = set->organizations - level_count;
    uint64_t organization = first + data_set_mix(number) % (level_count / 10) * 10;
    organization += digit < 5 ? digit : digit + 1;
    data_set_identifier(DATA_SET_ORGANIZATION, organization, command->organization);
    data_set_identifier(DATA_SET_USER, user, command->user);
    data_set_identifier(
        DATA_SET_MEMBERSHIP, set->memberships + number, command->membership);
    data_set_identifier_text(DATA_SET_USER, organization % set->users, command->principal);
    data_set_name_key(user, command->name_key);
    for (int index = 0; index < 2; index++) {
        uint64_t mixed = data_set_mix(number * 2 + index);
        memcpy(command->key + 8 * index, &mixed, 8);
        memcpy(command->digest + 8 * index, &mixed, 8);
        memcpy(command->digest + 16 + 8 * index, &mixed, 8);
    }
    memset(command->reply, 'r', DATA_SET_REPLY_BYTES);
    memcpy(command->reply, command->membership, 16);
    memset(command->event, 'e', DATA_SET_EVENT_BYTES);
    memcpy(command->event, command->membership, 16);
    command->now = data_set_epoch + (int64_t)number;
}

const char *const statement_find_reply =
    "SELECT method, request_digest, state, reply FROM storage_reply"
    " WHERE principal = ? AND key = ?";
const char *const statement_read_limits =
    "WITH RECURSIVE line (id, parent) AS ("
    " SELECT id, parent FROM organization WHERE id = ? AND standing <= 3"
    " UNION ALL"
    " SELECT above.id, above.parent"
    " FROM line JOIN organization AS above ON above.number = line.parent LIMIT 10)"
    " SELECT usage.used, usage.cap"
    " FROM line CROSS JOIN usage ON usage.node = line.id AND usage.kind = 1";
const char *const statement_add_membership =
    "INSERT INTO membership (organization_id, user_id, id, name_key, roles, state, takes_seat,"
    " joined_us, version) VALUES (?, ?, ?, ?, 4, 1, 1, ?, 1)";
const char *const statement_add_place =
    "INSERT INTO place (node, kind, user_id, refs) VALUES (?, 1, ?, 1)";
const char *const statement_add_ledger_line =
    "INSERT INTO seat_ledger (organization_id, kind, operation, user_id, cause, balance_after,"
    " occurred_us) VALUES (?, 1, 1, ?, 1, ?, ?)";
const char *const statement_add_event =
    "INSERT INTO storage_event (kind, aggregate, version, body, at_us) VALUES (?, ?, 1, ?, ?)";
const char *const statement_add_reply =
    "INSERT INTO storage_reply (principal, key, method, request_digest, state, reply, open_us, at_us)"
    " VALUES (?, ?, ?, ?, 1, ?, 0, ?)";
const char *const statement_read_organization =
    "SELECT id, number, parent, depth, standing, active, title, title_key, description, category,"
    " category_source, country, kind, sales_rep_email, services, type_id, trial_until,"
    " expires_on, external_id, discount, discount_until, discount_scope, origin, members,"
    " created_micros, updated_micros, version, archived_micros, archived_by, archive_batch,"
    " recency"
    " FROM organization WHERE id = ? AND standing <= 3";
