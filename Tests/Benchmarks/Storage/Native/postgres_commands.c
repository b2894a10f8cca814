// Commands by PostgreSQL, each a call of a function by a prepared statement:
//
//   postgres_commands CONNECTION-STRING ORGANIZATIONS MEMBERSHIPS CONNECTIONS DEPTH SECONDS
//
// Each connection has a thread and DEPTH commands under way, each a transaction of its own: more
// than one are pipelined.
#include <endian.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "CDataSet.h"
#include "latencies.h"

enum {
    PARAMETERS = 12,
    DEPTH_MAX = 64,
    UUID = 2950,  // numbers of types in PostgreSQL's catalogue
    TEXT = 25,
    BYTEA = 17,
    INT8 = 20,
};

static const char *connection_string;
static struct data_set set;
static int depth;
static uint64_t start, end;
static atomic_ullong next_number;

struct client {
    pthread_t thread;
    struct latencies latencies;
};

static void fail(PGconn *connection, const char *what) {
    fprintf(stderr, "postgres_commands: %s: %s\n", what, PQerrorMessage(connection));
    exit(1);
}

static void expect(PGconn *connection, const char *query, const char *value) {
    PGresult *result = PQexec(connection, query);
    if (PQntuples(result) != 1 || strcmp(PQgetvalue(result, 0, 0), value) != 0) {
        fail(connection, query);
    }
    PQclear(result);
}

static PGconn *open_connection(void) {
    static const Oid types[PARAMETERS] = {
        TEXT, UUID, TEXT, BYTEA, UUID, UUID, UUID, TEXT, TEXT, BYTEA, BYTEA, INT8};
    PGconn *connection = PQconnectdb(connection_string);
    if (PQstatus(connection) != CONNECTION_OK) fail(connection, "connect");
    expect(connection, "SHOW synchronous_commit", "on");
    expect(connection, "SHOW fsync", "on");
    PGresult *result = PQprepare(
        connection, "admit", "SELECT admit($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)", PARAMETERS,
        types);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(connection, "prepare");
    PQclear(result);
    if (depth > 1 && !PQenterPipelineMode(connection)) fail(connection, "pipeline");
    return connection;
}

static void send_command(PGconn *connection) {
    struct data_set_command command;
    data_set_command_make(&set, atomic_fetch_add(&next_number, 1), &command);
    int64_t now = (int64_t)htobe64((uint64_t)command.now);
    const char *values[PARAMETERS] = {
        command.principal, (char *)command.key, data_set_method, (char *)command.digest,
        (char *)command.organization, (char *)command.user, (char *)command.membership,
        command.name_key, data_set_event_kind, (char *)command.event, (char *)command.reply,
        (char *)&now};
    const int lengths[PARAMETERS] = {
        (int)strlen(command.principal), 16, (int)strlen(data_set_method), DATA_SET_DIGEST_BYTES,
        16, 16, 16, (int)strlen(command.name_key), (int)strlen(data_set_event_kind),
        DATA_SET_EVENT_BYTES, DATA_SET_REPLY_BYTES, 8};
    const int formats[PARAMETERS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    if (!PQsendQueryPrepared(connection, "admit", PARAMETERS, values, lengths, formats, 1)) {
        fail(connection, "send");
    }
    // A transaction ends at a sync.
    if (depth > 1 && !PQpipelineSync(connection)) fail(connection, "sync");
    if (PQflush(connection) < 0) fail(connection, "flush");
}

static void receive_reply(PGconn *connection) {
    PGresult *result = PQgetResult(connection);
    if (PQresultStatus(result) != PGRES_TUPLES_OK
        || PQgetlength(result, 0, 0) != DATA_SET_REPLY_BYTES) {
        fail(connection, "reply");
    }
    PQclear(result);
    result = PQgetResult(connection);
    if (result) fail(connection, "end");
    if (depth > 1) {
        result = PQgetResult(connection);
        if (PQresultStatus(result) != PGRES_PIPELINE_SYNC) fail(connection, "sync");
        PQclear(result);
    }
}

static void *run(void *argument) {
    struct client *client = argument;
    PGconn *connection = open_connection();
    uint64_t came[DEPTH_MAX], now = now_ns();
    for (int index = 0; index < depth; index++) {
        came[index] = now;
        send_command(connection);
    }
    for (int index = 0; now < end; index = (index + 1) % depth) {
        receive_reply(connection);
        now = now_ns();
        if (now >= start) latencies_add(&client->latencies, now - came[index]);
        came[index] = now;
        send_command(connection);
    }
    for (int index = 0; index < depth; index++) receive_reply(connection);
    PQfinish(connection);
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 7) {
        fprintf(
            stderr, "postgres_commands CONNECTION-STRING ORGANIZATIONS MEMBERSHIPS CONNECTIONS"
            " DEPTH SECONDS\n");
        return 2;
    }
    connection_string = arguments[1];
    set = data_set_make(strtoull(arguments[2], NULL, 10), strtoull(arguments[3], NULL, 10));
    size_t connections = strtoull(arguments[4], NULL, 10);
    depth = atoi(arguments[5]);
    if (depth < 1 || depth > DEPTH_MAX) return 2;
    start = now_ns() + 1000000000;  // a second to connect and warm up
    end = start + strtoull(arguments[6], NULL, 10) * 1000000000;

    struct client *clients = calloc(connections, sizeof *clients);
    for (size_t index = 0; index < connections; index++) {
        if (pthread_create(&clients[index].thread, NULL, run, &clients[index])) return 1;
    }
    struct latencies all = {0};
    for (size_t index = 0; index < connections; index++) {
        pthread_join(clients[index].thread, NULL);
        for (size_t value = 0; value < clients[index].latencies.count; value++) {
            latencies_add(&all, clients[index].latencies.values[value]);
        }
    }
    latencies_print(&all, end - start);
}
