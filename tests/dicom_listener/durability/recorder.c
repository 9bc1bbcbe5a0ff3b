/* Records what a process does to the files below one folder, in order: loaded with LD_PRELOAD.

   RECORDED names the folder, RECORD the file that is written to. An entry is: what was done, the file's
   inode, an offset (or, for a flush, how many entries there were when it began), a length, and so many bytes:
   a path, two paths with a NUL between, or content. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static const char *root;
static int record = -1;
static uint64_t entries;

struct head { uint8_t what; uint8_t pad[7]; uint64_t inode, offset, length; };

__attribute__((constructor)) static void begin(void) {
    root = getenv("RECORDED");
    const char *path = getenv("RECORD");
    if (root && path) record = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int below(const char *path) {
    return record >= 0 && path && strncmp(path, root, strlen(root)) == 0;
}

static int path_of(int descriptor, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    char *gone = strstr(path, " (deleted)");
    if (gone) *gone = 0;
    return below(path);
}

static int is_recorded(int descriptor, uint64_t *inode) {
    char path[PATH_MAX];
    struct stat found;
    if (record < 0 || !path_of(descriptor, path) || fstat(descriptor, &found)) return 0;
    *inode = found.st_ino;
    return 1;
}

static void note(char what, uint64_t inode, uint64_t offset, const struct iovec *parts, int count, uint64_t length) {
    struct head head = {.what = what, .inode = inode, .offset = offset, .length = length};
    syscall(SYS_write, record, &head, sizeof head);
    for (int place = 0; place < count && length; place++) {
        uint64_t size = parts[place].iov_len < length ? parts[place].iov_len : length;
        syscall(SYS_write, record, parts[place].iov_base, size);
        length -= size;
    }
    entries++;
}

static void note_path(char what, uint64_t inode, const char *path) {
    struct iovec part = {(void *)path, strlen(path)};
    note(what, inode, 0, &part, 1, part.iov_len);
}

static void note_paths(char what, const char *old, const char *new) {
    char both[2 * PATH_MAX];
    size_t first = strlen(old) + 1, second = strlen(new);
    memcpy(both, old, first);
    memcpy(both + first, new, second);
    struct iovec part = {both, first + second};
    note(what, 0, 0, &part, 1, part.iov_len);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define HOLD pthread_mutex_lock(&turn)
#define LEAVE do { int kept = errno; pthread_mutex_unlock(&turn); errno = kept; } while (0)

static int opened(const char *path, int flags, int descriptor, int was_there) {
    struct stat found;
    if (descriptor >= 0 && below(path) && !fstat(descriptor, &found)) {
        if ((flags & O_CREAT) && !was_there) note_path('C', found.st_ino, path);
        else if (flags & O_TRUNC) note('T', found.st_ino, 0, NULL, 0, 0);
    }
    return descriptor;
}

#define OPEN(name, declared, called)                                              \
    int name declared {                                                           \
        va_list list; va_start(list, flags);                                      \
        int mode = (flags & O_CREAT) ? va_arg(list, int) : 0; va_end(list);       \
        HOLD;                                                                     \
        int was_there = !syscall(SYS_access, path, F_OK);                         \
        int descriptor = opened(path, flags, REAL(name) called, was_there);       \
        LEAVE;                                                                    \
        return descriptor;                                                        \
    }
OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
OPEN(openat, (int at, const char *path, int flags, ...), (at, path, flags, mode))
OPEN(openat64, (int at, const char *path, int flags, ...), (at, path, flags, mode))

static ssize_t written(int descriptor, uint64_t inode, off64_t offset, const struct iovec *parts, int count, ssize_t length) {
    (void)descriptor;
    if (length > 0) note('W', inode, offset, parts, count, length);
    return length;
}

ssize_t write(int descriptor, const void *content, size_t length) {
    uint64_t inode;
    if (!is_recorded(descriptor, &inode)) return REAL(write)(descriptor, content, length);
    HOLD;
    off64_t offset = lseek64(descriptor, 0, SEEK_CUR);
    struct iovec part = {(void *)content, length};
    ssize_t done = written(descriptor, inode, offset, &part, 1, REAL(write)(descriptor, content, length));
    LEAVE;
    return done;
}

#define PWRITE(name, offset_type)                                                                   \
    ssize_t name(int descriptor, const void *content, size_t length, offset_type offset) {          \
        uint64_t inode;                                                                             \
        if (!is_recorded(descriptor, &inode)) return REAL(name)(descriptor, content, length, offset); \
        HOLD;                                                                                       \
        struct iovec part = {(void *)content, length};                                              \
        ssize_t done = written(descriptor, inode, offset, &part, 1, REAL(name)(descriptor, content, length, offset)); \
        LEAVE;                                                                                      \
        return done;                                                                                \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define PWRITEV(name, offset_type)                                                                  \
    ssize_t name(int descriptor, const struct iovec *parts, int count, offset_type offset) {        \
        uint64_t inode;                                                                             \
        if (!is_recorded(descriptor, &inode)) return REAL(name)(descriptor, parts, count, offset);  \
        HOLD;                                                                                       \
        ssize_t done = written(descriptor, inode, offset, parts, count, REAL(name)(descriptor, parts, count, offset)); \
        LEAVE;                                                                                      \
        return done;                                                                                \
    }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

#define PWRITEV2(name, offset_type)                                                                 \
    ssize_t name(int descriptor, const struct iovec *parts, int count, offset_type offset, int flags) { \
        uint64_t inode;                                                                             \
        if (!is_recorded(descriptor, &inode)) return REAL(name)(descriptor, parts, count, offset, flags); \
        HOLD;                                                                                       \
        ssize_t done = written(descriptor, inode, offset, parts, count, REAL(name)(descriptor, parts, count, offset, flags)); \
        LEAVE;                                                                                      \
        return done;                                                                                \
    }
PWRITEV2(pwritev2, off_t)
PWRITEV2(pwritev64v2, off64_t)

#define TRUNCATE(name, length_type)                                       \
    int name(int descriptor, length_type length) {                        \
        uint64_t inode;                                                   \
        if (!is_recorded(descriptor, &inode)) return REAL(name)(descriptor, length); \
        HOLD;                                                             \
        int done = REAL(name)(descriptor, length);                        \
        if (!done) note('T', inode, length, NULL, 0, 0);                  \
        LEAVE;                                                            \
        return done;                                                      \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define FLUSH(name)                                                       \
    int name(int descriptor) {                                            \
        uint64_t inode, began;                                            \
        char path[PATH_MAX];                                              \
        if (!is_recorded(descriptor, &inode)) return REAL(name)(descriptor); \
        HOLD; began = entries; LEAVE;                                     \
        int done = REAL(name)(descriptor);                                \
        HOLD;                                                             \
        if (!done && path_of(descriptor, path)) {                         \
            struct iovec part = {path, strlen(path)};                     \
            note('F', inode, began, &part, 1, part.iov_len);              \
        }                                                                 \
        LEAVE;                                                            \
        return done;                                                      \
    }
FLUSH(fsync)
FLUSH(fdatasync)

#define ONE(name, declared, called, what)                                 \
    int name declared {                                                   \
        HOLD;                                                             \
        int done = REAL(name) called;                                     \
        if (!done && below(path)) note_path(what, 0, path);               \
        LEAVE;                                                            \
        return done;                                                      \
    }
ONE(unlink, (const char *path), (path), 'U')
ONE(unlinkat, (int at, const char *path, int flags), (at, path, flags), 'U')
ONE(mkdir, (const char *path, mode_t mode), (path, mode), 'M')
ONE(mkdirat, (int at, const char *path, mode_t mode), (at, path, mode), 'M')

#define TWO(name, declared, called, what)                                 \
    int name declared {                                                   \
        HOLD;                                                             \
        int done = REAL(name) called;                                     \
        if (!done && below(old)) note_paths(what, old, new);              \
        LEAVE;                                                            \
        return done;                                                      \
    }
TWO(rename, (const char *old, const char *new), (old, new), 'R')
TWO(renameat, (int from, const char *old, int to, const char *new), (from, old, to, new), 'R')
TWO(link, (const char *old, const char *new), (old, new), 'L')
TWO(linkat, (int from, const char *old, int to, const char *new, int flags), (from, old, to, new, flags), 'L')
