/** A cluster of one machine: Slurm's controller, its node and munge, under a directory of their own. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { put } from './tempDirectory.js';

/** Debian has the daemons where only root's PATH leads. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

/** Those of the programs that are not installed. */
export function missingPrograms(names: readonly string[]): string[] {
  return names.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`], { env: { ...process.env, PATH } }).status !== 0);
}

export interface Cluster {
  /** For sbatch and the others. */
  env: NodeJS.ProcessEnv;
  /** Cancels all jobs, and ends the daemons. */
  stop(): Promise<void>;
}

/**
 * Runs the daemons until its standard input ends, as it does when the tests end, whatever way they do.
 * In $1 are slurm.conf and munge's key.
 */
const DAEMONS = `
  trap '' HUP INT TERM
  cd "$1" || exit 1
  head -c 1024 /dev/urandom > munge.key && chmod 400 munge.key || exit 1
  munged --foreground --force --socket="$1/munge.socket" --key-file="$1/munge.key" --pid-file="$1/munged.pid" --seed-file="$1/munged.seed" 2> munged.log &
  munged=$!
  while [ ! -S munge.socket ]; do kill -0 $munged || exit 1; sleep 0.1; done
  slurmctld -D -f "$1/slurm.conf" 2> controller.log &
  controller=$!
  slurmd -D -f "$1/slurm.conf" -N "$2" 2> node.log &
  node=$!
  cat > /dev/null
  scancel --user "$(id -un)"
  for i in 1 2 3 4 5 6 7 8 9 10; do [ -z "$(squeue --noheader)" ] && break; sleep 0.5; done
  kill $node $controller $munged
  wait
`;

/** Two different ports that are free. */
async function freePorts(): Promise<number[]> {
  const servers = [createServer(), createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as { port: number }).port);
  }
  for (const server of servers) server.close();
  return ports;
}

/** Starts the cluster, and waits until its node is idle. */
export async function startCluster(directory: string): Promise<Cluster> {
  const node = hostname().split('.')[0];
  const [controllerPort, nodePort] = await freePorts();
  for (const name of ['state', 'spool']) mkdirSync(`${directory}/${name}`);
  const config = put(
    directory,
    'slurm.conf',
    `ClusterName=test
SlurmctldHost=${node}(127.0.0.1)
SlurmctldPort=${controllerPort}
SlurmdPort=${nodePort}
SlurmUser=${userInfo().username}
SlurmdUser=${userInfo().username}
AuthType=auth/munge
AuthInfo=socket=${directory}/munge.socket
StateSaveLocation=${directory}/state
SlurmdSpoolDir=${directory}/spool
SlurmctldPidFile=${directory}/controller.pid
SlurmdPidFile=${directory}/node.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
NodeName=${node} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`,
  );
  const env = { ...process.env, PATH, SLURM_CONF: config };
  const daemons = spawn('sh', ['-c', DAEMONS, 'sh', directory, node], { env, stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  const ended = once(daemons, 'exit');
  const stop = async () => {
    daemons.stdin.end();
    await ended;
  };
  while (spawnSync('sh', ['-c', 'sinfo --noheader --format=%T'], { env, encoding: 'utf8' }).stdout?.trim() !== 'idle') {
    if (daemons.exitCode !== null) throw new Error(`the daemons of the cluster ended with ${daemons.exitCode}: see ${directory}`);
    await sleep(200);
  }
  return { env, stop };
}
