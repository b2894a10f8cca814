// The disks, and what SQLite asks of a file system beside open files.
#include <assert.h>
#include <string.h>

#include "faulty_disk_internal.h"

static struct disk disks[FAULTY_DISK_DISKS_MAX];
static pthread_mutex_t disks_mutex = PTHREAD_MUTEX_INITIALIZER;

struct disk *disk_of(int32_t number) {
    assert(number >= 0 && number < FAULTY_DISK_DISKS_MAX);
    return &disks[number];
}

int32_t disk_find_file(const struct disk *disk, const char *path) {
    for (int32_t number = 0; number < disk->file_count; number++) {
        const struct known_file *file = &disk->files[number];
        if (file->has_name && strcmp(file->path, path) == 0) return number;
    }
    return -1;
}

int32_t disk_add_file(struct disk *disk, const char *path, enum faulty_disk_role role) {
    size_t length = strlen(path);
    if (disk->file_count == FAULTY_DISK_FILES_MAX || length >= PATH_BYTES_MAX) return -1;
    struct known_file *file = &disk->files[disk->file_count];
    memcpy(file->path, path, length + 1);
    file->role = role;
    file->has_name = true;
    disk->file_count += 1;
    return disk->file_count - 1;
}

static struct disk *disk_behind(sqlite3_vfs *vfs) { return vfs->pAppData; }

static sqlite3_vfs *real(sqlite3_vfs *vfs) { return disk_behind(vfs)->real; }

/// Finds out which file was opened, and notes one that is new to the disk.
static int take_up(struct layered_file *file, const char *path, bool was_there) {
    struct disk *disk = file->disk;
    file->number = disk_find_file(disk, path);
    if (file->number >= 0) return SQLITE_OK;
    sqlite3_int64 size = 0;
    int code = file->real->pMethods->xFileSize(file->real, &size);
    if (code != SQLITE_OK) return code;
    file->number = disk_add_file(disk, path, file->role);
    if (file->number < 0) return SQLITE_CANTOPEN;
    struct faulty_disk_operation operation = {
        .kind = was_there ? FAULTY_DISK_FOUND : FAULTY_DISK_MADE,
        .role = file->role,
        .file = file->number,
        .offset = size,
    };
    return disk_note(disk, operation, NULL) ? SQLITE_OK : SQLITE_IOERR_NOMEM;
}

static int open_noted(sqlite3_vfs *vfs, const char *path, struct layered_file *file, int flags,
                      int *flags_out) {
    int was_there = 0;
    int code = real(vfs)->xAccess(real(vfs), path, SQLITE_ACCESS_EXISTS, &was_there);
    if (code == SQLITE_OK) code = real(vfs)->xOpen(real(vfs), path, file->real, flags, flags_out);
    if (code != SQLITE_OK) return code;
    code = take_up(file, path, was_there != 0);
    if (code != SQLITE_OK) file->real->pMethods->xClose(file->real);
    return code;
}

static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags,
                     int *flags_out) {
    struct layered_file *file = (struct layered_file *)base;
    memset(file, 0, sizeof *file);
    file->disk = disk_behind(vfs);
    file->real = (sqlite3_file *)(file + 1);
    file->role = flags & SQLITE_OPEN_MAIN_DB        ? FAULTY_DISK_DATABASE
                 : flags & SQLITE_OPEN_WAL          ? FAULTY_DISK_LOG
                 : flags & SQLITE_OPEN_MAIN_JOURNAL ? FAULTY_DISK_JOURNAL
                                                    : 0;
    file->is_noted = file->role != 0 && path != NULL;
    // The real file system does the same: a log or journal is found again after its first sync.
    file->syncs_folder = file->role != FAULTY_DISK_DATABASE && (flags & SQLITE_OPEN_CREATE) != 0;

    int code;
    if (file->is_noted) {
        pthread_mutex_lock(&file->disk->mutex);
        code = open_noted(vfs, path, file, flags, flags_out);
        pthread_mutex_unlock(&file->disk->mutex);
    } else {
        code = real(vfs)->xOpen(real(vfs), path, file->real, flags, flags_out);
    }
    // SQLite closes a file that has methods even when opening it failed.
    if (code == SQLITE_OK) file->base.pMethods = &layered_file_methods;
    return code;
}

static int delete_file(sqlite3_vfs *vfs, const char *path, int syncs_folder) {
    struct disk *disk = disk_behind(vfs);
    pthread_mutex_lock(&disk->mutex);
    int code = real(vfs)->xDelete(real(vfs), path, 0);
    int32_t number = disk_find_file(disk, path);
    if (code == SQLITE_OK && number >= 0) {
        disk->files[number].has_name = false;
        struct faulty_disk_operation operation = {
            .kind = FAULTY_DISK_DELETE,
            .role = disk->files[number].role,
            .file = number,
            .syncs_folder = syncs_folder != 0,
        };
        if (!disk_note(disk, operation, NULL)) code = SQLITE_IOERR_NOMEM;
    }
    pthread_mutex_unlock(&disk->mutex);
    return code;
}

static int access_file(sqlite3_vfs *vfs, const char *path, int flags, int *answer) {
    return real(vfs)->xAccess(real(vfs), path, flags, answer);
}

static int full_path(sqlite3_vfs *vfs, const char *path, int count, char *full) {
    return real(vfs)->xFullPathname(real(vfs), path, count, full);
}

static int randomness(sqlite3_vfs *vfs, int count, char *bytes) {
    return real(vfs)->xRandomness(real(vfs), count, bytes);
}

static int pause_for(sqlite3_vfs *vfs, int microseconds) {
    return real(vfs)->xSleep(real(vfs), microseconds);
}

static int current_time(sqlite3_vfs *vfs, double *days) {
    return real(vfs)->xCurrentTime(real(vfs), days);
}

static int last_error(sqlite3_vfs *vfs, int count, char *text) {
    return real(vfs)->xGetLastError(real(vfs), count, text);
}

static int current_time_in_milliseconds(sqlite3_vfs *vfs, sqlite3_int64 *time) {
    return real(vfs)->xCurrentTimeInt64(real(vfs), time);
}

/// Fills a place that is free; the caller holds the mutex of all disks.
static bool set_up(struct disk *disk, const char *name, int64_t record_bytes_max) {
    sqlite3_vfs *below = sqlite3_vfs_find(NULL);
    size_t length = strlen(name);
    if (below == NULL || below->iVersion < 2 || length >= FAULTY_DISK_NAME_MAX) return false;
    memset(disk, 0, sizeof *disk);
    memcpy(disk->name, name, length + 1);
    disk->real = below;
    disk->record_bytes_max = record_bytes_max;
    disk->vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = (int)sizeof(struct layered_file) + below->szOsFile,
        .mxPathname = below->mxPathname,
        .zName = disk->name,
        .pAppData = disk,
        .xOpen = open_file,
        .xDelete = delete_file,
        .xAccess = access_file,
        .xFullPathname = full_path,
        .xRandomness = randomness,
        .xSleep = pause_for,
        .xCurrentTime = current_time,
        .xGetLastError = last_error,
        .xCurrentTimeInt64 = current_time_in_milliseconds,
    };
    if (pthread_mutex_init(&disk->mutex, NULL) != 0) return false;
    if (sqlite3_vfs_register(&disk->vfs, 0) != SQLITE_OK) {
        pthread_mutex_destroy(&disk->mutex);
        return false;
    }
    disk->is_used = true;
    return true;
}

int32_t faulty_disk_make(const char *name, int64_t record_bytes_max) {
    int32_t number = -1;
    pthread_mutex_lock(&disks_mutex);
    for (int32_t place = 0; place < FAULTY_DISK_DISKS_MAX && number < 0; place++) {
        if (!disks[place].is_used) number = place;
    }
    if (number >= 0 && !set_up(&disks[number], name, record_bytes_max)) number = -1;
    pthread_mutex_unlock(&disks_mutex);
    return number;
}

void faulty_disk_remove(int32_t number) {
    struct disk *disk = disk_of(number);
    pthread_mutex_lock(&disks_mutex);
    sqlite3_vfs_unregister(&disk->vfs);
    pthread_mutex_lock(&disk->mutex);
    disk_forget_record(disk);
    pthread_mutex_unlock(&disk->mutex);
    pthread_mutex_destroy(&disk->mutex);
    disk->is_used = false;
    pthread_mutex_unlock(&disks_mutex);
}
