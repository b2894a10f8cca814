// The record of what was done to the files of a disk, and the faults that it is armed with.
#define _POSIX_C_SOURCE 200809L

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faulty_disk_internal.h"

/// The record grows from here by doubling.
enum { ENTRIES_AT_FIRST = 1024 };

static bool make_room(struct disk *disk) {
    if (disk->entry_count < disk->entry_capacity) return true;
    int64_t capacity = disk->entry_capacity > 0 ? disk->entry_capacity * 2 : ENTRIES_AT_FIRST;
    struct record_entry *entries =
        realloc(disk->entries, (size_t)capacity * sizeof(struct record_entry));
    if (entries == NULL) return false;
    disk->entries = entries;
    disk->entry_capacity = capacity;
    return true;
}

bool disk_note(struct disk *disk, struct faulty_disk_operation operation, const void *bytes) {
    disk->operation_count += 1;
    if (disk->record_bytes_max == 0) return true;
    int64_t size = (int64_t)sizeof(struct record_entry) + operation.count;
    bool has_room = disk->record_bytes + size <= disk->record_bytes_max && make_room(disk);
    unsigned char *copy = NULL;
    if (has_room && operation.count > 0) {
        copy = malloc((size_t)operation.count);
        has_room = copy != NULL;
    }
    if (!has_room) {
        disk->is_overfull = true;
        return false;
    }
    if (copy != NULL) memcpy(copy, bytes, (size_t)operation.count);
    disk->entries[disk->entry_count] = (struct record_entry){operation, copy};
    disk->entry_count += 1;
    disk->record_bytes += size;
    return true;
}

void disk_forget_record(struct disk *disk) {
    for (int64_t index = 0; index < disk->entry_count; index++) free(disk->entries[index].bytes);
    free(disk->entries);
    disk->entries = NULL;
    disk->entry_count = 0;
    disk->entry_capacity = 0;
    disk->record_bytes = 0;
}

int64_t faulty_disk_operation_count(int32_t number) {
    struct disk *disk = disk_of(number);
    pthread_mutex_lock(&disk->mutex);
    int64_t count = disk->operation_count;
    pthread_mutex_unlock(&disk->mutex);
    return count;
}

bool faulty_disk_is_overfull(int32_t number) {
    struct disk *disk = disk_of(number);
    pthread_mutex_lock(&disk->mutex);
    bool is_overfull = disk->is_overfull;
    pthread_mutex_unlock(&disk->mutex);
    return is_overfull;
}

bool faulty_disk_read_operation(
    int32_t number, int64_t index, struct faulty_disk_operation *operation) {
    struct disk *disk = disk_of(number);
    pthread_mutex_lock(&disk->mutex);
    bool is_there = index >= 0 && index < disk->entry_count;
    if (is_there) *operation = disk->entries[index].operation;
    pthread_mutex_unlock(&disk->mutex);
    return is_there;
}

/// Writes all of some bytes at a place of a file.
static bool write_all(
    int descriptor, const unsigned char *bytes, int64_t count, int64_t offset) {
    while (count > 0) {
        ssize_t written = pwrite(descriptor, bytes, (size_t)count, (off_t)offset);
        if (written <= 0) return false;
        bytes += written;
        count -= written;
        offset += written;
    }
    return true;
}

bool faulty_disk_replay(
    int32_t number, int64_t index, int descriptor, int64_t start, int64_t count) {
    struct disk *disk = disk_of(number);
    pthread_mutex_lock(&disk->mutex);
    bool is_done = false;
    if (index >= 0 && index < disk->entry_count) {
        const struct record_entry *entry = &disk->entries[index];
        const struct faulty_disk_operation *operation = &entry->operation;
        if (operation->kind == FAULTY_DISK_TRUNCATE) {
            is_done = ftruncate(descriptor, (off_t)operation->offset) == 0;
        } else if (start >= 0 && count >= 0 && start + count <= operation->count) {
            is_done =
                write_all(descriptor, entry->bytes + start, count, operation->offset + start);
        }
    }
    pthread_mutex_unlock(&disk->mutex);
    return is_done;
}

void faulty_disk_arm(
    int32_t number, enum faulty_disk_fault fault, int32_t roles, int64_t nth, bool is_for_ever) {
    struct disk *disk = disk_of(number);
    pthread_mutex_lock(&disk->mutex);
    disk->fault = fault;
    disk->fault_roles = roles;
    disk->fault_number = nth;
    disk->fault_is_for_ever = is_for_ever;
    disk->concerned_count = 0;
    disk->failure_count = 0;
    pthread_mutex_unlock(&disk->mutex);
}

void faulty_disk_disarm(int32_t number) {
    struct disk *disk = disk_of(number);
    pthread_mutex_lock(&disk->mutex);
    disk->fault = FAULTY_DISK_NO_FAULT;
    pthread_mutex_unlock(&disk->mutex);
}

int64_t faulty_disk_failure_count(int32_t number) {
    struct disk *disk = disk_of(number);
    pthread_mutex_lock(&disk->mutex);
    int64_t count = disk->failure_count;
    pthread_mutex_unlock(&disk->mutex);
    return count;
}

bool disk_fails(struct disk *disk, enum faulty_disk_fault fault, enum faulty_disk_role role) {
    if (disk->fault != fault || (disk->fault_roles & (int32_t)role) == 0) return false;
    disk->concerned_count += 1;
    bool fails = disk->fault_is_for_ever ? disk->concerned_count >= disk->fault_number
                                         : disk->concerned_count == disk->fault_number;
    if (fails) disk->failure_count += 1;
    return fails;
}
