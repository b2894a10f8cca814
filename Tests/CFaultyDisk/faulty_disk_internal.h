/// What the parts of the layer share.
#ifndef FAULTY_DISK_INTERNAL_H
#define FAULTY_DISK_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>

#include "faulty_disk.h"

/// The longest path of a file, its end included.
enum { PATH_BYTES_MAX = 512 };

/// A file that was used on a disk.
struct known_file {
    char path[PATH_BYTES_MAX];
    enum faulty_disk_role role;
    /// Whether the path still leads to it.
    bool has_name;
};

/// An entry of the record and what it wrote.
struct record_entry {
    struct faulty_disk_operation operation;
    unsigned char *bytes;
};

/// One layer; its mutex protects everything below it.
struct disk {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    char name[FAULTY_DISK_NAME_MAX];
    bool is_used;

    pthread_mutex_t mutex;
    int64_t operation_count;
    struct record_entry *entries;
    int64_t entry_count;
    int64_t entry_capacity;
    int64_t record_bytes;
    int64_t record_bytes_max;
    bool is_overfull;

    struct known_file files[FAULTY_DISK_FILES_MAX];
    int32_t file_count;

    enum faulty_disk_fault fault;
    int32_t fault_roles;
    int64_t fault_number;
    bool fault_is_for_ever;
    int64_t concerned_count;
    int64_t failure_count;
};

/// An open file: SQLite's part, ours, and behind it the real file system's.
struct layered_file {
    sqlite3_file base;
    struct disk *disk;
    sqlite3_file *real;
    enum faulty_disk_role role;
    int32_t number;
    /// Whether it is noted: temporary files are not, a power cut ends them.
    bool is_noted;
    /// Whether its next sync makes the names in the folder durable too.
    bool syncs_folder;
};

/// The methods of open files.
extern const sqlite3_io_methods layered_file_methods;

/// Notes an operation; false if the record would pass its limit. The caller holds the mutex.
bool disk_note(struct disk *disk, struct faulty_disk_operation operation, const void *bytes);

/// Frees the record. The caller holds the mutex.
void disk_forget_record(struct disk *disk);

/// Whether an operation fails now. The caller holds the mutex.
bool disk_fails(struct disk *disk, enum faulty_disk_fault fault, enum faulty_disk_role role);

/// The number of a file that a path leads to, or -1. The caller holds the mutex.
int32_t disk_find_file(const struct disk *disk, const char *path);

/// Takes a file up under a path; answers its number, or -1. The caller holds the mutex.
int32_t disk_add_file(struct disk *disk, const char *path, enum faulty_disk_role role);

/// The disk of a number, in use.
struct disk *disk_of(int32_t number);

#endif
