// Fills a database that has its tables: sqlite_fill FILE ORGANIZATIONS MEMBERSHIPS
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CDataSet.h"

enum {
    BATCH = 100000,  // rows of one transaction
    INDEXES_MAX = 100,
};

static sqlite3 *database;
static struct data_set set;

static void check(int code) {
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
    fprintf(stderr, "sqlite_fill: %s\n", sqlite3_errmsg(database));
    exit(1);
}

static void run(const char *text) { check(sqlite3_exec(database, text, NULL, NULL, NULL)); }

// MARK: Rows

static sqlite3_stmt *statement;
static int next_index;

static void number(int64_t value) { check(sqlite3_bind_int64(statement, next_index++, value)); }

static void text(const char *value) {
    check(sqlite3_bind_text(statement, next_index++, value, -1, SQLITE_TRANSIENT));
}

static void identifier(enum data_set_kind kind, uint64_t value) {
    uint8_t bytes[16];
    data_set_identifier(kind, value, bytes);
    check(sqlite3_bind_blob(statement, next_index++, bytes, 16, SQLITE_TRANSIENT));
}

// Inserts so many rows, each with the values that a function binds.
static void fill(const char *into, uint64_t count, void (*bind)(uint64_t)) {
    check(sqlite3_prepare_v2(database, into, -1, &statement, NULL));
    for (uint64_t row = 0; row < count; row++) {
        if (row % BATCH == 0) run(row == 0 ? "BEGIN" : "COMMIT; BEGIN");
        next_index = 1;
        bind(row);
        check(sqlite3_step(statement));
        check(sqlite3_reset(statement));
    }
    run("COMMIT");
    sqlite3_finalize(statement);
}

static void bind_organization(uint64_t row) {
    char title[DATA_SET_TEXT_BYTES];
    int64_t parent = data_set_parent(&set, row);
    // Numbers of the database begin at 1.
    number((int64_t)row + 1);
    identifier(DATA_SET_ORGANIZATION, row);
    if (parent < 0) {
        check(sqlite3_bind_null(statement, next_index++));
    } else {
        number(parent + 1);
    }
    number(data_set_level(&set, row));
    data_set_title(row, title);
    text(title);
    data_set_title_key(row, title);
    text(title);
    number(data_set_epoch);
}

static void bind_node(uint64_t row) { identifier(DATA_SET_ORGANIZATION, row); }

static void bind_user(uint64_t row) {
    char value[DATA_SET_TEXT_BYTES];
    identifier(DATA_SET_USER, row);
    data_set_email(row, value);
    text(value);
    data_set_name(row, value);
    text(value);
    number(data_set_epoch);
}

static void bind_membership(uint64_t row) {
    char value[DATA_SET_TEXT_BYTES];
    uint64_t user = data_set_user_of(&set, row);
    identifier(DATA_SET_ORGANIZATION, data_set_organization_of(&set, row));
    identifier(DATA_SET_USER, user);
    identifier(DATA_SET_MEMBERSHIP, row);
    data_set_name_key(user, value);
    text(value);
    number(data_set_epoch);
}

static void bind_pair(uint64_t row) {
    identifier(DATA_SET_ORGANIZATION, data_set_organization_of(&set, row));
    identifier(DATA_SET_USER, data_set_user_of(&set, row));
}

// MARK: Indexes

// They are made after the rows: by sorting, which takes a fraction of the time.
static int take_indexes(char **definitions) {
    char drop[200];
    char *names[INDEXES_MAX];
    int count = 0;
    sqlite3_stmt *query;
    check(sqlite3_prepare_v2(
        database, "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
        -1, &query, NULL));
    while (sqlite3_step(query) == SQLITE_ROW && count < INDEXES_MAX) {
        names[count] = strdup((const char *)sqlite3_column_text(query, 0));
        definitions[count++] = strdup((const char *)sqlite3_column_text(query, 1));
    }
    sqlite3_finalize(query);
    for (int index = 0; index < count; index++) {
        snprintf(drop, sizeof drop, "DROP INDEX %s", names[index]);
        run(drop);
    }
    return count;
}

int main(int count, char **arguments) {
    if (count != 4) {
        fprintf(stderr, "sqlite_fill FILE ORGANIZATIONS MEMBERSHIPS\n");
        return 2;
    }
    set = data_set_make(strtoull(arguments[2], NULL, 10), strtoull(arguments[3], NULL, 10));
    check(sqlite3_open(arguments[1], &database));
    run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000;"
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY");
    char *definitions[INDEXES_MAX];
    int definition_count = take_indexes(definitions);
    fill(
        "INSERT INTO organization (number, serial, id, parent, depth, standing, active, title,"
        " title_key, description, category, category_source, country, sales_rep_email, services,"
        " origin, discount_scope, members, created_by, created_micros, updated_micros, version,"
        " recency)"
        " VALUES (?1, ?1, ?2, ?3, ?4, 1, 1, ?5, ?6, 'An organization like many others.', 1, 1,"
        " 'DE', '', '', 1, 1, 10, 'operator', ?7, ?7, 1, ?1)",
        set.organizations, bind_organization);
    // What the service keeps beside the rows: their titles in parts, and how many there are.
    run("INSERT INTO organization_part (organization_part) VALUES ('rebuild')");
    run("INSERT OR REPLACE INTO tally (parent, organizations)"
        " SELECT coalesce(parent, 0), count(*) FROM organization GROUP BY parent"
        " UNION ALL SELECT -1, count(*) FROM organization");
    // Seats and members of every organization; only the limit of members is ever near.
    fill(
        "INSERT INTO usage (node, kind, used, cap) VALUES (?, 0, 10, NULL)", set.organizations,
        bind_node);
    fill(
        "INSERT INTO usage (node, kind, used, cap) VALUES (?, 1, 10, 1000000000)",
        set.organizations, bind_node);
    fill(
        "INSERT INTO user (id, email, name, created_us, version) VALUES (?, ?, ?, ?, 1)",
        set.users, bind_user);
    fill(
        "INSERT INTO membership (organization_id, user_id, id, name_key, roles, state, takes_seat,"
        " joined_us, version) VALUES (?, ?, ?, ?, 4, 1, 1, ?, 1)",
        set.memberships, bind_membership);
    fill(
        "INSERT INTO place (node, kind, user_id, refs) VALUES (?, 1, ?, 1)", set.memberships,
        bind_pair);
    fill(
        "INSERT INTO seat_ledger (organization_id, kind, operation, user_id, cause, balance_after,"
        " occurred_us) VALUES (?, 1, 1, ?, 1, 10, 1700000000000000)",
        set.memberships, bind_pair);
    for (int index = 0; index < definition_count; index++) run(definitions[index]);
    run("PRAGMA journal_mode = WAL");
    check(sqlite3_close(database));
}
