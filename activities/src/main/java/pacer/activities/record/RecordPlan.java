package pacer.activities.record;

import java.util.List;
import pacer.activities.run.RecordRequest;

/**
 * A record attempt that is settled before its first run.
 *
 * @param id names its folder, beside those of the runs
 * @param host that the folder is on
 * @param target nats a token
 * @param seeds of the runs, in order
 * @param looks after how many runs the losses are looked at, ascending, the last after all
 * @param parallel runs at work at a time
 * @param dollarsPerHour price of the machine; 0 when unknown
 * @param reference a published loss of the preset; 0 for none
 * @param source where the reference comes from
 */
public record RecordPlan(
        String id,
        String host,
        RecordRequest request,
        String preset,
        double target,
        List<Long> seeds,
        List<Integer> looks,
        int parallel,
        double dollarsPerHour,
        double reference,
        String source) {}
