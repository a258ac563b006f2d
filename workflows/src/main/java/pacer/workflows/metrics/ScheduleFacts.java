package pacer.workflows.metrics;

import java.time.Duration;
import java.time.Instant;

/**
 * How a schedule of reproductions keeps to its times.
 *
 * @param lastResult when a reproduction that it started came to a verdict last; null where none is known
 * @param owedSince when the first began that has come to none since; null where none is owed
 * @param interval the longest time from one of its next starts to the one after; null while it is paused
 */
public record ScheduleFacts(String name, Instant lastResult, Instant owedSince, Duration interval) {}
