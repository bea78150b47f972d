import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { availableCores } from '../../src/node/cores.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

/** The cores of a process that may use 16, on a system with these files. */
function coresWith(files: Record<string, string>, allowed = 16): number {
  const root = tempDirectory();
  for (const [name, content] of Object.entries(files)) put(root, name, `${content}\n`);
  return availableCores(allowed, root);
}

const V2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate';
const V1 = [
  '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755',
  '32 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
  '33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
].join('\n');

describe('availableCores', () => {
  it('is at least 1, and on this machine at most what Node.js says', () => {
    expect(availableCores()).toBeGreaterThanOrEqual(1);
    expect(availableCores()).toBeLessThanOrEqual(availableParallelism());
    expect(coresWith({}, 0)).toBe(1);
  });

  it.each<[what: string, files: Record<string, string>, cores: number]>([
    ['no files, as on other systems', {}, 16],
    ['version 2 without a limit', { 'proc/self/mountinfo': V2, 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/cpu.max': 'max 100000' }, 16],
    ['version 2, two cores', { 'proc/self/mountinfo': V2, 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/cpu.max': '200000 100000' }, 2],
    [
      'one and a half cores, rounded up',
      { 'proc/self/mountinfo': V2, 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/cpu.max': '150000 100000' },
      2,
    ],
    ['a tenth of a core', { 'proc/self/mountinfo': V2, 'proc/self/cgroup': '0::/a', 'sys/fs/cgroup/a/cpu.max': '10000 100000' }, 1],
    ['more than there are', { 'proc/self/mountinfo': V2, 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/cpu.max': '6400000 100000' }, 16],
    [
      "the smallest of the group's own and those above it",
      {
        'proc/self/mountinfo': V2,
        'proc/self/cgroup': '0::/user.slice/a b.scope',
        'sys/fs/cgroup/cpu.max': 'max 100000',
        'sys/fs/cgroup/user.slice/cpu.max': '300000 100000',
        'sys/fs/cgroup/user.slice/a b.scope/cpu.max': '500000 100000',
      },
      3,
    ],
    [
      'a container that sees its own group as the root, while its path begins at the root of the system',
      {
        'proc/self/mountinfo': '30 23 0:26 /docker/4f2 /sys/fs/cgroup ro - cgroup2 cgroup rw',
        'proc/self/cgroup': '0::/docker/4f2',
        'sys/fs/cgroup/cpu.max': '400000 100000',
      },
      4,
    ],
    [
      'a group outside the mount',
      { 'proc/self/mountinfo': V2, 'proc/self/cgroup': '0::/../other', 'sys/fs/cgroup/cpu.max': '300000 100000' },
      3,
    ],
    [
      'a mount elsewhere, with a blank in its path',
      {
        'proc/self/mountinfo': '30 23 0:26 / /my\\040groups rw - cgroup2 cgroup2 rw',
        'proc/self/cgroup': '0::/a',
        'my groups/a/cpu.max': '200000 100000',
      },
      2,
    ],
    [
      'version 1',
      {
        'proc/self/mountinfo': V1,
        'proc/self/cgroup': '4:memory:/m\n3:cpu,cpuacct:/jobs/7\n1:name=systemd:/',
        'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1',
        'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000',
        'sys/fs/cgroup/cpu,cpuacct/jobs/7/cpu.cfs_quota_us': '250000',
        'sys/fs/cgroup/cpu,cpuacct/jobs/7/cpu.cfs_period_us': '50000',
      },
      5,
    ],
    [
      'both versions, with the limit in version 1',
      {
        'proc/self/mountinfo': `${V1}\n38 31 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`,
        'proc/self/cgroup': '3:cpu,cpuacct:/\n0::/',
        'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '700000',
        'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000',
      },
      7,
    ],
    [
      'files that hold something else',
      { 'proc/self/mountinfo': `nonsense\n${V2}`, 'proc/self/cgroup': 'nonsense', 'sys/fs/cgroup/cpu.max': 'much 0' },
      16,
    ],
    ['a quota of 0', { 'proc/self/mountinfo': V2, 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/cpu.max': '0 100000' }, 16],
  ])('reads the quotas of control groups: %s', (_, files, cores) => {
    expect(coresWith(files)).toBe(cores);
  });
});
