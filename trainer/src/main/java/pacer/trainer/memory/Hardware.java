package pacer.trainer.memory;

import pacer.trainer.spec.TrainSpec.Precision;

/** Where a training would run. */
public sealed interface Hardware {

    /**
     * The CPU engine, all ranks of a host in one memory.
     *
     * @param threads of a rank
     * @param precision not auto
     * @param zero 1: each rank keeps the optimizer's state of its part of the parameters, as {@code train.zeroStage} has it; 0: of all
     * @param hosts that the ranks are divided over equally
     */
    record Cpu(int threads, Precision precision, int zero, int hosts) implements Hardware {}

    /**
     * GPUs, a rank each, by the rules of the spec: the CPU engine's tensors, the micro-batch in one pass.
     *
     * @param precision not auto
     * @param zero 1: each GPU keeps the optimizer's state of its share of the parameters (ZeRO-1; Rajbhandari et al. 2020); 0: of all
     */
    record Gpus(Precision precision, int zero) implements Hardware {}
}
