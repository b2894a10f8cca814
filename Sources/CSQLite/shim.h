#include <sqlite3.h>

// Swift calls neither variadic functions nor macros that cast a number to a function.

/// Switches a connection's option on or off; answers as sqlite3_db_config does.
static inline int storage_sqlite3_switch(sqlite3 *connection, int option, int value) {
    return sqlite3_db_config(connection, option, value, (int *)0);
}

/// Binds a copy of UTF-8 text.
static inline int storage_sqlite3_bind_text(
    sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_text64(
        statement, index, (const char *)bytes, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/// Binds a copy of bytes.
static inline int storage_sqlite3_bind_bytes(
    sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_TRANSIENT);
}

/// Turns the counting of memory off, which takes a lock at each allocation; before the first use.
static inline int storage_sqlite3_stop_counting_memory(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}
