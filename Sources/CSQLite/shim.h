#include <sqlite3.h>

// Swift calls neither variadic functions nor macros that cast a number to a function; and what
// works on SQLite's own files is plainer here.

/// Switches a connection's option on or off; answers as sqlite3_db_config does.
static inline int storage_sqlite3_switch(sqlite3 *connection, int option, int value) {
    return sqlite3_db_config(connection, option, value, (int *)0);
}

/// Sets how SQLite takes memory; before its first use. Answers SQLITE_OK, or what went wrong.
static inline int storage_sqlite3_tune_memory(void) {
    // Counting takes a lock at each allocation.
    int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    if (code != SQLITE_OK) return code;
    // Every cache otherwise begins with room for twenty pages, also that of a small temporary table
    // as a recursive query needs two of: it goes back to the system and is cleared again each time.
    code = sqlite3_config(SQLITE_CONFIG_PAGECACHE, (void *)0, 0, 0);
    if (code != SQLITE_OK) return code;
    // What a savepoint would restore is kept in memory up to this size, twice the default: for most
    // commands that is all of it. What is more goes to a temporary file, and so do the pages of all
    // jobs after it in the batch. It must stay below 128 KiB: SQLite writes so much to that file at
    // once, and its file system takes no more, so that a larger one makes every change fail that
    // comes to it, as if the disk were full.
    return sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, 127 * 1024);
}

/// Writes an open file once more, byte for byte as it is read, and syncs it.
static inline int storage_sqlite3_renew_open(sqlite3_file *file, void *bytes, int bytes_max) {
    sqlite3_int64 size = 0;
    int code = file->pMethods->xFileSize(file, &size);
    for (sqlite3_int64 offset = 0; code == SQLITE_OK && offset < size; offset += bytes_max) {
        int count = size - offset < bytes_max ? (int)(size - offset) : bytes_max;
        code = file->pMethods->xRead(file, bytes, count, offset);
        if (code == SQLITE_OK) code = file->pMethods->xWrite(file, bytes, count, offset);
    }
    return code == SQLITE_OK ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : code;
}

/// Makes a write-ahead log durable as it is read; does nothing if there is none.
///
/// The log's name is durable already: SQLite syncs it with the log's head, before any commit.
/// Nobody else may have the log open. Answers an SQLite result code.
static inline int storage_sqlite3_renew_log(const char *file_system, const char *path) {
    // SQLite's own file system takes fewer than 128 KiB at once.
    enum { BYTES_MAX = 64 * 1024 };
    sqlite3_vfs *system = sqlite3_vfs_find(file_system);
    if (system == (sqlite3_vfs *)0) return SQLITE_ERROR;
    int is_there = 0;
    int code = system->xAccess(system, path, SQLITE_ACCESS_EXISTS, &is_there);
    if (code != SQLITE_OK || !is_there) return code;
    sqlite3_file *file = (sqlite3_file *)sqlite3_malloc(system->szOsFile);
    void *bytes = sqlite3_malloc(BYTES_MAX);
    if (file == (sqlite3_file *)0 || bytes == (void *)0) {
        code = SQLITE_NOMEM;
    } else {
        int flags = SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE;
        code = system->xOpen(system, path, file, flags, (int *)0);
        if (code == SQLITE_OK) {
            code = storage_sqlite3_renew_open(file, bytes, BYTES_MAX);
            file->pMethods->xClose(file);
        }
    }
    sqlite3_free(bytes);
    sqlite3_free(file);
    return code;
}
