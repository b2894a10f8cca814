// Point reads by a bare prepared statement, on one thread:
//
//   sqlite_reads FILE ORGANIZATIONS MEMBERSHIPS SECONDS
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#include "CDataSet.h"
#include "latencies.h"

enum { NUMBERS = 20 };

// What the row is made into: texts and bytes are copied, for they end with the step.
struct organization {
    uint8_t id[16], type_id[16], archive_batch[16];
    bool has_type, is_archived;
    int64_t numbers[NUMBERS];
    bool is_null[NUMBERS];
    char title[500], title_key[500], description[2000], country[4], sales_rep_email[260];
    char services[1000], external_id[1000], archived_by[100];
};

static void check(bool is_good) {
    if (is_good) return;
    fprintf(stderr, "sqlite_reads: failed\n");
    exit(1);
}

static void copy_text(sqlite3_stmt *statement, int column, char *text, size_t room) {
    const unsigned char *value = sqlite3_column_text(statement, column);
    size_t length = (size_t)sqlite3_column_bytes(statement, column);
    check(length < room);
    if (value) memcpy(text, value, length);
    text[length] = 0;
}

// Answers whether there are any.
static bool copy_identifier(sqlite3_stmt *statement, int column, uint8_t *identifier) {
    const void *value = sqlite3_column_blob(statement, column);
    if (value) memcpy(identifier, value, 16);
    return value != NULL;
}

static void read_organization(
    sqlite3_stmt *statement, const uint8_t *id, struct organization *organization) {
    static const int number_columns[NUMBERS] = {
        1, 2, 3, 4, 5, 9, 10, 12, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 30};
    sqlite3_bind_blob(statement, 1, id, 16, SQLITE_STATIC);
    check(sqlite3_step(statement) == SQLITE_ROW);
    check(copy_identifier(statement, 0, organization->id));
    organization->has_type = copy_identifier(statement, 15, organization->type_id);
    organization->is_archived = copy_identifier(statement, 29, organization->archive_batch);
    copy_text(statement, 6, organization->title, sizeof organization->title);
    copy_text(statement, 7, organization->title_key, sizeof organization->title_key);
    copy_text(statement, 8, organization->description, sizeof organization->description);
    copy_text(statement, 11, organization->country, sizeof organization->country);
    copy_text(statement, 13, organization->sales_rep_email, sizeof organization->sales_rep_email);
    copy_text(statement, 14, organization->services, sizeof organization->services);
    copy_text(statement, 18, organization->external_id, sizeof organization->external_id);
    copy_text(statement, 28, organization->archived_by, sizeof organization->archived_by);
    for (int index = 0; index < NUMBERS; index++) {
        int column = number_columns[index];
        organization->is_null[index] = sqlite3_column_type(statement, column) == SQLITE_NULL;
        organization->numbers[index] = sqlite3_column_int64(statement, column);
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
