// The methods of open files: what is noted or may fail here, the rest goes to the real file.

#include "faulty_disk_internal.h"

static struct layered_file *layered(sqlite3_file *file) { return (struct layered_file *)file; }

static sqlite3_file *real(sqlite3_file *file) { return layered(file)->real; }

static struct faulty_disk_operation operation_on(
    const struct layered_file *file, enum faulty_disk_kind kind) {
    return (struct faulty_disk_operation){
        .kind = kind, .role = file->role, .file = file->number};
}

static int close_file(sqlite3_file *file) { return real(file)->pMethods->xClose(real(file)); }

static int read_file(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset) {
    struct layered_file *file = layered(base);
    if (file->is_noted) {
        pthread_mutex_lock(&file->disk->mutex);
        bool fails = disk_fails(file->disk, FAULTY_DISK_READ_FAILS, file->role);
        pthread_mutex_unlock(&file->disk->mutex);
        if (fails) return SQLITE_IOERR_READ;
    }
    return file->real->pMethods->xRead(file->real, bytes, count, offset);
}

/// Writes and notes; the mutex keeps the record in the order of what was done.
static int write_noted(
    struct layered_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    sqlite3_int64 size = 0;
    int code = file->real->pMethods->xFileSize(file->real, &size);
    if (code != SQLITE_OK) return code;
    int failure = SQLITE_OK;
    if (disk_fails(file->disk, FAULTY_DISK_WRITE_FAILS, file->role)) failure = SQLITE_IOERR_WRITE;
    bool grows = offset + count > size;
    if (grows && disk_fails(file->disk, FAULTY_DISK_IS_FULL, file->role)) failure = SQLITE_FULL;
    if (failure != SQLITE_OK) count /= 2;

    code = file->real->pMethods->xWrite(file->real, bytes, count, offset);
    if (code != SQLITE_OK) return code;
    struct faulty_disk_operation operation = operation_on(file, FAULTY_DISK_WRITE);
    operation.offset = offset;
    operation.count = count;
    if (!disk_note(file->disk, operation, bytes)) return SQLITE_IOERR_NOMEM;
    return failure;
}

static int write_file(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset) {
    struct layered_file *file = layered(base);
    if (!file->is_noted) return file->real->pMethods->xWrite(file->real, bytes, count, offset);
    pthread_mutex_lock(&file->disk->mutex);
    int code = write_noted(file, bytes, count, offset);
    pthread_mutex_unlock(&file->disk->mutex);
    return code;
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 size) {
    struct layered_file *file = layered(base);
    if (!file->is_noted) return file->real->pMethods->xTruncate(file->real, size);
    pthread_mutex_lock(&file->disk->mutex);
    int code = file->real->pMethods->xTruncate(file->real, size);
    if (code == SQLITE_OK) {
        struct faulty_disk_operation operation = operation_on(file, FAULTY_DISK_TRUNCATE);
        operation.offset = size;
        if (!disk_note(file->disk, operation, NULL)) code = SQLITE_IOERR_NOMEM;
    }
    pthread_mutex_unlock(&file->disk->mutex);
    return code;
}

static int sync_noted(struct layered_file *file) {
    if (disk_fails(file->disk, FAULTY_DISK_SYNC_LIES, file->role)) return SQLITE_OK;
    bool fails = disk_fails(file->disk, FAULTY_DISK_SYNC_FAILS, file->role);
    struct faulty_disk_operation operation =
        operation_on(file, fails ? FAULTY_DISK_FAILED_SYNC : FAULTY_DISK_SYNC);
    operation.syncs_folder = file->syncs_folder && !fails;
    if (!disk_note(file->disk, operation, NULL)) return SQLITE_IOERR_NOMEM;
    if (fails) return SQLITE_IOERR_FSYNC;
    file->syncs_folder = false;
    return SQLITE_OK;
}

static int sync_file(sqlite3_file *base, int flags) {
    (void)flags;
    struct layered_file *file = layered(base);
    if (!file->is_noted) return SQLITE_OK;
    pthread_mutex_lock(&file->disk->mutex);
    int code = sync_noted(file);
    pthread_mutex_unlock(&file->disk->mutex);
    return code;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int lock(sqlite3_file *file, int level) {
    return real(file)->pMethods->xLock(real(file), level);
}

static int unlock(sqlite3_file *file, int level) {
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int check_reserved_lock(sqlite3_file *file, int *is_locked) {
    return real(file)->pMethods->xCheckReservedLock(real(file), is_locked);
}

static int file_control(sqlite3_file *file, int code, void *argument) {
    return real(file)->pMethods->xFileControl(real(file), code, argument);
}

static int sector_size(sqlite3_file *file) {
    return real(file)->pMethods->xSectorSize(real(file));
}

static int device_characteristics(sqlite3_file *file) {
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int shared_memory_map(
    sqlite3_file *file, int region, int size, int extends, void volatile **memory) {
    return real(file)->pMethods->xShmMap(real(file), region, size, extends, memory);
}

static int shared_memory_lock(sqlite3_file *file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void shared_memory_barrier(sqlite3_file *file) {
    real(file)->pMethods->xShmBarrier(real(file));
}

static int shared_memory_unmap(sqlite3_file *file, int deletes) {
    return real(file)->pMethods->xShmUnmap(real(file), deletes);
}

const sqlite3_io_methods layered_file_methods = {
    // Shared memory, which the log needs; no mapped files, whose reads would pass the layer by.
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock,
    .xUnlock = unlock,
    .xCheckReservedLock = check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = device_characteristics,
    .xShmMap = shared_memory_map,
    .xShmLock = shared_memory_lock,
    .xShmBarrier = shared_memory_barrier,
    .xShmUnmap = shared_memory_unmap,
};
