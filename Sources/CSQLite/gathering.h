#include <sqlite3.h>
#include <string.h>

// Gathers what SQLite writes to its log.
//
// SQLite writes each page of a commit by two calls, of 24 bytes and of a page, none of which begins
// where a page of the system does: the system then takes two to four times as long as for a few
// large writes. Here they are gathered and written before a sync, and before anything else that
// would show whether they are written. Nobody else reads them earlier: SQLite tells other
// connections of pages in the log when a commit is complete, which it is not before its sync.

enum {
    // SQLite's file system takes fewer than 128 KiB at once.
    STORAGE_GATHERED_BYTES_MAX = 120 * 1024,
};

/// A log whose writes are gathered; its methods come first, as the file points to them.
struct storage_gathering {
    sqlite3_io_methods methods;
    const sqlite3_io_methods *inner;
    /// Where in the log the bytes belong that wait, and how many there are.
    sqlite3_int64 offset;
    int count;
    unsigned char bytes[STORAGE_GATHERED_BYTES_MAX];
};

static inline struct storage_gathering *storage_gathering_of(sqlite3_file *file) {
    return (struct storage_gathering *)(void *)file->pMethods;
}

/// Writes what waits.
///
/// Where that fails it is given up: written later, it might complete a commit that has been refused
/// by then. SQLite takes it for written, so that nothing of its transaction may stay.
static inline int storage_gathering_flush(sqlite3_file *file) {
    struct storage_gathering *log = storage_gathering_of(file);
    int count = log->count;
    if (count == 0) return SQLITE_OK;
    log->count = 0;
    return log->inner->xWrite(file, log->bytes, count, log->offset);
}

/// Writes what waits before SQLite asks what there is.
///
/// SQLite undoes a statement alone that finds the disk full while it reads, and commits what others
/// have written before, of which pages are missing: this error undoes the whole transaction.
static inline int storage_gathering_flush_to_read(sqlite3_file *file) {
    return storage_gathering_flush(file) == SQLITE_OK ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

static inline int storage_gathering_write(
    sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    struct storage_gathering *log = storage_gathering_of(file);
    int follows = log->count > 0 && offset == log->offset + log->count
        && count <= STORAGE_GATHERED_BYTES_MAX - log->count;
    if (!follows) {
        int code = storage_gathering_flush(file);
        if (code != SQLITE_OK) return code;
        if (count > STORAGE_GATHERED_BYTES_MAX) {
            return log->inner->xWrite(file, bytes, count, offset);
        }
        log->offset = offset;
    }
    memcpy(log->bytes + log->count, bytes, (size_t)count);
    log->count += count;
    return SQLITE_OK;
}

static inline int storage_gathering_read(
    sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    int code = storage_gathering_flush_to_read(file);
    if (code != SQLITE_OK) return code;
    return storage_gathering_of(file)->inner->xRead(file, bytes, count, offset);
}

static inline int storage_gathering_truncate(sqlite3_file *file, sqlite3_int64 size) {
    int code = storage_gathering_flush(file);
    if (code != SQLITE_OK) return code;
    return storage_gathering_of(file)->inner->xTruncate(file, size);
}

static inline int storage_gathering_sync(sqlite3_file *file, int flags) {
    int code = storage_gathering_flush(file);
    if (code != SQLITE_OK) return code;
    return storage_gathering_of(file)->inner->xSync(file, flags);
}

static inline int storage_gathering_size(sqlite3_file *file, sqlite3_int64 *size) {
    int code = storage_gathering_flush_to_read(file);
    if (code != SQLITE_OK) return code;
    return storage_gathering_of(file)->inner->xFileSize(file, size);
}

static inline int storage_gathering_close(sqlite3_file *file) {
    struct storage_gathering *log = storage_gathering_of(file);
    // What was never synced was promised to nobody.
    int flushed = storage_gathering_flush(file);
    file->pMethods = log->inner;
    sqlite3_free(log);
    int closed = file->pMethods->xClose(file);
    return closed == SQLITE_OK ? flushed : closed;
}

/// Gathers what a connection writes to its log from now on, until it is closed.
///
/// The log must be open: the connection has read something since it has been in this mode. Commits
/// must be synced. Where SQLite fills the log up to whole sectors, it goes on writing after the
/// sync: there nothing is gathered. Answers an SQLite result code.
static inline int storage_sqlite3_gather_log(sqlite3 *connection) {
    sqlite3_file *database = (sqlite3_file *)0, *file = (sqlite3_file *)0;
    int code = sqlite3_file_control(
        connection, "main", SQLITE_FCNTL_FILE_POINTER, (void *)&database);
    if (code != SQLITE_OK) return code;
    int traits = database->pMethods->xDeviceCharacteristics(database);
    if ((traits & SQLITE_IOCAP_POWERSAFE_OVERWRITE) == 0) return SQLITE_OK;
    code = sqlite3_file_control(
        connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, (void *)&file);
    if (code != SQLITE_OK) return code;
    if (file == (sqlite3_file *)0 || file->pMethods == (const sqlite3_io_methods *)0) {
        return SQLITE_ERROR;
    }
    struct storage_gathering *log = (struct storage_gathering *)sqlite3_malloc(sizeof *log);
    if (log == (struct storage_gathering *)0) return SQLITE_NOMEM;
    log->inner = file->pMethods;
    log->methods = *file->pMethods;
    // What SQLite asks of a log alone.
    log->methods.iVersion = 1;
    log->methods.xClose = storage_gathering_close;
    log->methods.xRead = storage_gathering_read;
    log->methods.xWrite = storage_gathering_write;
    log->methods.xTruncate = storage_gathering_truncate;
    log->methods.xSync = storage_gathering_sync;
    log->methods.xFileSize = storage_gathering_size;
    log->count = 0;
    file->pMethods = &log->methods;
    return SQLITE_OK;
}
