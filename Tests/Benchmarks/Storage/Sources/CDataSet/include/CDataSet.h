// The rows that every storage benchmark begins with and the commands that it runs, as functions of
// their numbers: whoever measures, in C or Swift, on SQLite or PostgreSQL, does the same.
#pragma once

#include <stdint.h>

enum {
    DATA_SET_LEVELS = 10,
    DATA_SET_CHILDREN = 50,       // of an organization that has any
    DATA_SET_MEMBERS = 100,       // of an organization that has any
    DATA_SET_REPLY_BYTES = 100,   // what a command answers
    DATA_SET_EVENT_BYTES = 120,   // what it says in the feed
    DATA_SET_DIGEST_BYTES = 32,
    DATA_SET_TEXT_BYTES = 80,     // room for any text below, with its end
};

// Organizations are numbered level by level, the roots first: half of all are on the tenth level,
// a quarter on the ninth, and so on. One in ten has members.
struct data_set {
    uint64_t organizations;
    uint64_t memberships;
    uint64_t users;
    uint64_t level_first[DATA_SET_LEVELS + 1];  // by level, from 1
    uint64_t level_count[DATA_SET_LEVELS + 1];
};

enum data_set_kind {
    DATA_SET_ORGANIZATION = 1,
    DATA_SET_USER = 2,
    DATA_SET_MEMBERSHIP = 3,
};

struct data_set data_set_make(uint64_t organizations, uint64_t memberships);

// Spreads numbers evenly.
uint64_t data_set_mix(uint64_t number);

// 16 bytes that grow with the number, as those of UUID version 7 do.
void data_set_identifier(enum data_set_kind kind, uint64_t number, uint8_t *bytes);
void data_set_identifier_text(enum data_set_kind kind, uint64_t number, char *text);

int data_set_level(const struct data_set *set, uint64_t organization);
// The number of the parent; -1 of a root.
int64_t data_set_parent(const struct data_set *set, uint64_t organization);
void data_set_title(uint64_t organization, char *text);
void data_set_title_key(uint64_t organization, char *text);

void data_set_email(uint64_t user, char *text);
void data_set_name(uint64_t user, char *text);
void data_set_name_key(uint64_t user, char *text);

uint64_t data_set_organization_of(const struct data_set *set, uint64_t membership);
uint64_t data_set_user_of(const struct data_set *set, uint64_t membership);

// A command admits a user to an organization on the tenth level; its number is the only input.
struct data_set_command {
    uint8_t organization[16];
    uint8_t user[16];
    uint8_t membership[16];
    uint8_t key[16];
    uint8_t digest[DATA_SET_DIGEST_BYTES];
    char principal[DATA_SET_TEXT_BYTES];
    char name_key[DATA_SET_TEXT_BYTES];
    uint8_t reply[DATA_SET_REPLY_BYTES];
    uint8_t event[DATA_SET_EVENT_BYTES];
    int64_t now;
};
void data_set_command_make(
    const struct data_set *set, uint64_t number, struct data_set_command *command);

// Instants in microseconds, and what the storage layer calls the command and its event.
extern const int64_t data_set_epoch;
extern const char *const data_set_method;
extern const char *const data_set_event_kind;

// The statements of a command, in order.
extern const char *const statement_find_reply;
extern const char *const statement_read_limits;
extern const char *const statement_add_membership;
extern const char *const statement_add_place;
extern const char *const statement_add_ledger_line;
extern const char *const statement_add_event;
extern const char *const statement_add_reply;

// The point read.
extern const char *const statement_read_organization;
