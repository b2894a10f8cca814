// One transaction per command, on one thread:
//
//   sqlite_commands FILE ORGANIZATIONS MEMBERSHIPS CALLERS SECONDS
//
// Callers stand in a row: each comes again, at its end, as soon as it has its reply. No thread is
// ever woken, which is the best that a writer without group commit can do.
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#include "CDataSet.h"
#include "latencies.h"

enum { FIND_REPLY, READ_LIMITS, MEMBERSHIP, PLACE, LEDGER, EVENT, REPLY, BEGIN, COMMIT, COUNT };

static sqlite3 *database;
static sqlite3_stmt *statements[COUNT];

static void check(bool is_good, const char *what) {
    if (is_good) return;
    fprintf(stderr, "sqlite_commands: %s: %s\n", what, sqlite3_errmsg(database));
    exit(1);
}

static void set_pragma(const char *text, const char *expected) {
    sqlite3_stmt *statement;
    check(sqlite3_prepare_v2(database, text, -1, &statement, NULL) == SQLITE_OK, text);
    int code = sqlite3_step(statement);
    check(code == SQLITE_ROW || code == SQLITE_DONE, text);
    if (expected) {
        check(!strcmp((const char *)sqlite3_column_text(statement, 0), expected), text);
    }
    sqlite3_finalize(statement);
}

static void open_database(const char *path) {
    check(
        sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)
            == SQLITE_OK,
        "open");
    // The settings of the storage layer's writer.
    set_pragma("PRAGMA journal_mode = WAL", "wal");
    set_pragma("PRAGMA synchronous = FULL", NULL);
    set_pragma("PRAGMA synchronous", "2");
    set_pragma("PRAGMA foreign_keys = ON", NULL);
    set_pragma("PRAGMA cache_size = -32768", NULL);
    set_pragma("PRAGMA wal_autocheckpoint = 15000", NULL);
    const char *const texts[COUNT] = {
        statement_find_reply, statement_read_limits, statement_add_membership,
        statement_add_place, statement_add_ledger_line, statement_add_event,
        statement_add_reply, "BEGIN IMMEDIATE", "COMMIT"};
    for (int index = 0; index < COUNT; index++) {
        check(
            sqlite3_prepare_v3(
                database, texts[index], -1, SQLITE_PREPARE_PERSISTENT, &statements[index], NULL)
                == SQLITE_OK,
            texts[index]);
    }
}

static void bytes(int statement, int index, const void *value, int count) {
    sqlite3_bind_blob(statements[statement], index, value, count, SQLITE_STATIC);
}

static void text(int statement, int index, const char *value) {
    sqlite3_bind_text(statements[statement], index, value, -1, SQLITE_STATIC);
}

static void number(int statement, int index, int64_t value) {
    sqlite3_bind_int64(statements[statement], index, value);
}

static void finish(int statement) {
    check(sqlite3_step(statements[statement]) == SQLITE_DONE, "step");
    sqlite3_reset(statements[statement]);
}

// Answers the number of members of the organization.
static int64_t check_limits(const struct data_set_command *command) {
    sqlite3_stmt *statement = statements[READ_LIMITS];
    int levels = 0;
    int64_t members = 0;
    bytes(READ_LIMITS, 1, command->organization, 16);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int64_t used = sqlite3_column_int64(statement, 0);
        bool is_limited = sqlite3_column_type(statement, 1) != SQLITE_NULL;
        check(!is_limited || used < sqlite3_column_int64(statement, 1), "a limit is reached");
        if (levels++ == 0) members = used;
    }
    sqlite3_reset(statement);
    check(levels == DATA_SET_LEVELS, "the levels");
    return members;
}

static void perform(const struct data_set_command *command) {
    finish(BEGIN);
    text(FIND_REPLY, 1, command->principal);
    bytes(FIND_REPLY, 2, command->key, 16);
    finish(FIND_REPLY);
    int64_t members = check_limits(command);

    bytes(MEMBERSHIP, 1, command->organization, 16);
    bytes(MEMBERSHIP, 2, command->user, 16);
    bytes(MEMBERSHIP, 3, command->membership, 16);
    text(MEMBERSHIP, 4, command->name_key);
    number(MEMBERSHIP, 5, command->now);
    finish(MEMBERSHIP);
    bytes(PLACE, 1, command->organization, 16);
    bytes(PLACE, 2, command->user, 16);
    finish(PLACE);
    bytes(LEDGER, 1, command->organization, 16);
    bytes(LEDGER, 2, command->user, 16);
    number(LEDGER, 3, members + 1);
    number(LEDGER, 4, command->now);
    finish(LEDGER);

    text(EVENT, 1, data_set_event_kind);
    bytes(EVENT, 2, command->membership, 16);
    bytes(EVENT, 3, command->event, DATA_SET_EVENT_BYTES);
    number(EVENT, 4, command->now);
    finish(EVENT);
    text(REPLY, 1, command->principal);
    bytes(REPLY, 2, command->key, 16);
    text(REPLY, 3, data_set_method);
    bytes(REPLY, 4, command->digest, DATA_SET_DIGEST_BYTES);
    bytes(REPLY, 5, command->reply, DATA_SET_REPLY_BYTES);
    number(REPLY, 6, command->now);
    finish(REPLY);
    finish(COMMIT);
}

int main(int count, char **arguments) {
    if (count != 6) {
        fprintf(
            stderr, "sqlite_commands FILE ORGANIZATIONS MEMBERSHIPS CALLERS SECONDS\n");
        return 2;
    }
    struct data_set set =
        data_set_make(strtoull(arguments[2], NULL, 10), strtoull(arguments[3], NULL, 10));
    size_t callers = strtoull(arguments[4], NULL, 10);
    uint64_t seconds = strtoull(arguments[5], NULL, 10);
    open_database(arguments[1]);

    struct latencies latencies = {0};
    uint64_t *came = malloc(callers * sizeof *came);
    uint64_t start = now_ns() + 1000000000, now = now_ns();  // a second to warm up
    for (size_t caller = 0; caller < callers; caller++) came[caller] = now;
    struct data_set_command command;
    for (uint64_t number = 0; now < start + seconds * 1000000000; number++) {
        data_set_command_make(&set, number, &command);
        perform(&command);
        now = now_ns();
        if (now >= start) latencies_add(&latencies, now - came[number % callers]);
        came[number % callers] = now;
    }
    latencies_print(&latencies, now - start);
    for (int index = 0; index < COUNT; index++) sqlite3_finalize(statements[index]);
    sqlite3_close(database);
}
