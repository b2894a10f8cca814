/// Disks for tests: layers between SQLite and the real file system that note what is done to the
/// files, and that fail on demand.
///
/// A layer is a VFS of SQLite with a name of its own; it is never the default. Reads, writes,
/// locks and shared memory go to the real files. A sync does not: it is only noted, since what a
/// power cut would leave is computed from the record, and the tests run faster.
///
/// Every function may be called on any thread.
#ifndef FAULTY_DISK_H
#define FAULTY_DISK_H

#include <stdbool.h>
#include <stdint.h>

enum {
    /// So many disks may exist at once.
    FAULTY_DISK_DISKS_MAX = 256,
    /// The longest name of a disk, its end included.
    FAULTY_DISK_NAME_MAX = 64,
    /// So many files may be used on one disk, a file made anew counted again.
    FAULTY_DISK_FILES_MAX = 256,
};

/// What a file is to SQLite.
enum faulty_disk_role {
    FAULTY_DISK_DATABASE = 1,
    /// The write-ahead log.
    FAULTY_DISK_LOG = 2,
    /// The rollback journal, used until a new database has a write-ahead log.
    FAULTY_DISK_JOURNAL = 4,
    FAULTY_DISK_ANY_ROLE = 7,
};

/// What was done to a file.
enum faulty_disk_kind {
    /// A file that holds something is opened for the first time; `offset` is its size.
    FAULTY_DISK_FOUND,
    /// A file is made, or one that is empty is opened for the first time.
    FAULTY_DISK_MADE,
    FAULTY_DISK_WRITE,
    /// `offset` is the new size.
    FAULTY_DISK_TRUNCATE,
    /// A sync that succeeded.
    FAULTY_DISK_SYNC,
    /// A sync that failed: the system may have forgotten the writes before it.
    FAULTY_DISK_FAILED_SYNC,
    /// The file's name is gone.
    FAULTY_DISK_DELETE,
};

/// One entry of the record.
struct faulty_disk_operation {
    enum faulty_disk_kind kind;
    enum faulty_disk_role role;
    /// Which file: a name that is deleted and made again is another file.
    int32_t file;
    /// Whether the names in the folder are made durable as well.
    bool syncs_folder;
    int64_t offset;
    /// The bytes written.
    int64_t count;
};

/// What can go wrong.
enum faulty_disk_fault {
    FAULTY_DISK_NO_FAULT,
    /// A sync fails with SQLITE_IOERR_FSYNC.
    FAULTY_DISK_SYNC_FAILS,
    /// A write fails with SQLITE_IOERR_WRITE, half done.
    FAULTY_DISK_WRITE_FAILS,
    /// A read fails with SQLITE_IOERR_READ.
    FAULTY_DISK_READ_FAILS,
    /// A write that makes its file longer fails with SQLITE_FULL, half done.
    FAULTY_DISK_IS_FULL,
    /// A sync does nothing and says that it succeeded.
    FAULTY_DISK_SYNC_LIES,
};

/// Makes a disk and registers it with SQLite.
///
/// - name: under which databases are opened; no other disk has it.
/// - record_bytes_max: a write that the record would need more bytes for fails with
///   SQLITE_IOERR_NOMEM; 0 to record nothing.
/// Answers the disk's number, or -1 when that cannot be.
int32_t faulty_disk_make(const char *name, int64_t record_bytes_max);

/// Removes a disk; every connection to files on it must have been closed.
void faulty_disk_remove(int32_t disk);

/// How many operations have been done on the disk; only grows, also without a record.
int64_t faulty_disk_operation_count(int32_t disk);

/// Whether the record is incomplete since it would have passed its limit.
bool faulty_disk_is_overfull(int32_t disk);

/// Reads an entry of the record; false if there is none of that number, from 0.
bool faulty_disk_read_operation(
    int32_t disk, int64_t number, struct faulty_disk_operation *operation);

/// Does to a file what an operation of the record did: a write or a truncation.
///
/// - descriptor: the file, open for writing.
/// - start, count: which of the bytes written, counted from the first of them.
/// Answers false when the file system refuses.
bool faulty_disk_replay(
    int32_t disk, int64_t number, int descriptor, int64_t start, int64_t count);

/// Has the n-th operation from now fail, counted from 1 among those that the fault concerns.
///
/// - roles: the files concerned, a sum of `faulty_disk_role`.
/// - is_for_ever: whether those after it fail as well.
void faulty_disk_arm(
    int32_t disk, enum faulty_disk_fault fault, int32_t roles, int64_t number, bool is_for_ever);

/// Heals the disk.
void faulty_disk_disarm(int32_t disk);

/// How many operations have failed, or lied, since the disk was armed.
int64_t faulty_disk_failure_count(int32_t disk);

#endif
