// Point reads by a bare prepared statement, on one thread:
//
//   sqlite_reads FILE ORGANIZATIONS MEMBERSHIPS SECONDS
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#include "CDataSet.h"
#include "latencies.h"

// What the row is made into: texts and bytes are copied, for they end with the step.
struct organization {
    uint8_t id[16], parent_id[16];
    bool has_parent;
    int64_t numbers[7];
    char title[500], title_key[500], description[2000], country[4];
};

static void check(bool is_good) {
    if (is_good) return;
    fprintf(stderr, "sqlite_reads: failed\n");
    exit(1);
}

static void copy_text(sqlite3_stmt *statement, int column, char *text, size_t room) {
    size_t length = (size_t)sqlite3_column_bytes(statement, column);
    check(length < room);
    memcpy(text, sqlite3_column_text(statement, column), length);
    text[length] = 0;
}

static void read_organization(
    sqlite3_stmt *statement, const uint8_t *id, struct organization *organization) {
    static const int number_columns[] = {2, 6, 8, 9, 10, 11, 12};
    sqlite3_bind_blob(statement, 1, id, 16, SQLITE_STATIC);
    check(sqlite3_step(statement) == SQLITE_ROW);
    memcpy(organization->id, sqlite3_column_blob(statement, 0), 16);
    organization->has_parent = sqlite3_column_type(statement, 1) != SQLITE_NULL;
    if (organization->has_parent) {
        memcpy(organization->parent_id, sqlite3_column_blob(statement, 1), 16);
    }
    copy_text(statement, 3, organization->title, sizeof organization->title);
    copy_text(statement, 4, organization->title_key, sizeof organization->title_key);
    copy_text(statement, 5, organization->description, sizeof organization->description);
    copy_text(statement, 7, organization->country, sizeof organization->country);
    for (int index = 0; index < 7; index++) {
        organization->numbers[index] = sqlite3_column_int64(statement, number_columns[index]);
    }
    sqlite3_reset(statement);
}

int main(int count, char **arguments) {
    if (count != 5) {
        fprintf(stderr, "sqlite_reads FILE ORGANIZATIONS MEMBERSHIPS SECONDS\n");
        return 2;
    }
    struct data_set set =
        data_set_make(strtoull(arguments[2], NULL, 10), strtoull(arguments[3], NULL, 10));
    uint64_t seconds = strtoull(arguments[4], NULL, 10);
    sqlite3 *database;
    sqlite3_stmt *statement;
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    check(
        sqlite3_open_v2(
            arguments[1], &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)
        == SQLITE_OK);
    check(
        sqlite3_prepare_v3(
            database, statement_read_organization, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL)
        == SQLITE_OK);

    struct organization organization;
    uint64_t number = 0, elapsed = 0, done = 0;
    // Once to warm up.
    for (int round = 0; round < 2; round++) {
        uint64_t start = now_ns();
        done = 0;
        do {
            for (int index = 0; index < 1000; index++, number++) {
                uint8_t id[16];
                data_set_identifier(
                    DATA_SET_ORGANIZATION, (data_set_mix(number) >> 1) % set.organizations, id);
                read_organization(statement, id, &organization);
                check(organization.id[15] == id[15]);
            }
            done += 1000;
            elapsed = now_ns() - start;
        } while (elapsed < seconds * 1000000000);
    }
    printf("{\"nanoseconds\": %.1f}\n", (double)elapsed / (double)done);
    sqlite3_finalize(statement);
    sqlite3_close(database);
}
