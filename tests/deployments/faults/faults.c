/*
 * Faults for a process under test, by LD_PRELOAD: a clock that is set, a disk that is full or fails, and one that loses what was
 * not synced.
 *
 * FAULTS_FILE holds two 64-bit integers: the offset of the wall clock in seconds, and the errno of writes (0: none fails).
 * FAULTS_SYNCED is a directory that gets a copy of each file as of its last sync; a name there is a path with % for each slash.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *faults;
static const char *synced;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t copying = PTHREAD_MUTEX_INITIALIZER;

static void begin(void) {
    synced = getenv("FAULTS_SYNCED");
    const char *path = getenv("FAULTS_FILE");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0) : -1;
    if (fd < 0) return;
    void *mapped = mmap(NULL, 16, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED) faults = mapped;
    close(fd);
}

static int64_t fault(int index) {
    pthread_once(&once, begin);
    return faults ? faults[index] : 0;
}

int clock_gettime(clockid_t id, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, id, now);
    if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) now->tv_sec += fault(0);
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int result = (int)syscall(SYS_gettimeofday, now, zone);
    if (result == 0) now->tv_sec += fault(0);
    return result;
}

time_t time(time_t *now) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}

static int is_regular(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/* Whether a write to that file fails now, with errno set. */
static int fails(int fd) {
    int64_t number = fault(1);
    if (number == 0 || !is_regular(fd)) return 0;
    errno = (int)number;
    return 1;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    return fails(fd) ? -1 : syscall(SYS_write, fd, bytes, count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    return fails(fd) ? -1 : syscall(SYS_pwrite64, fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return pwrite64(fd, bytes, count, at); }

int ftruncate64(int fd, off64_t size) { return fails(fd) ? -1 : (int)syscall(SYS_ftruncate, fd, size); }

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

/* Copies a file as it is now. Reads by the descriptor that is there: closing another one would drop the process's locks. */
static void copy(int fd) {
    char link[64], path[4096], name[8192], part[8300];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = 0;
    for (char *at = path; *at; at++)
        if (*at == '/') *at = '%';
    snprintf(name, sizeof name, "%s/%s", synced, path);
    snprintf(part, sizeof part, "%s.part", name);
    int to = (int)syscall(SYS_openat, AT_FDCWD, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (to < 0) return;
    static char bytes[1 << 16];
    off64_t at = 0;
    ssize_t got;
    while ((got = pread64(fd, bytes, sizeof bytes, at)) > 0) {
        if (syscall(SYS_write, to, bytes, (size_t)got) != got) break;
        at += got;
    }
    close(to);
    rename(part, name);
}

static int sync_with(long call, int fd) {
    if (fails(fd)) return -1;
    int result = (int)syscall(call, fd);
    if (result == 0 && synced && is_regular(fd)) {
        pthread_mutex_lock(&copying);
        copy(fd);
        pthread_mutex_unlock(&copying);
    }
    return result;
}

int fsync(int fd) { return sync_with(SYS_fsync, fd); }

int fdatasync(int fd) { return sync_with(SYS_fdatasync, fd); }
