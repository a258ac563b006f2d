package pacer.workflows;

import io.temporal.common.VersioningBehavior;
import io.temporal.common.WorkerDeploymentVersion;
import io.temporal.worker.WorkerDeploymentOptions;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Machine;

/**
 * A version of those workers that decide what is next in a run: the service gives runs to the one that is current, and all of them to another one when that is made current.
 *
 * <p>Runs move with it (auto-upgrade), as they outlive versions by weeks, and {@code ReplayTest} holds that they can. Hosts have no versions: there is one worker for each
 * host's queues, so that work for one that is not upgraded yet, or is already, would wait for a version that is not there.
 *
 * @param name of the deployment
 * @param buildId of the version
 */
public record Deployment(String name, String buildId) {
    private static final String NAME = "PACER_DEPLOYMENT";
    private static final String BUILD = "PACER_BUILD_ID";

    /** What separates the two in Temporal's own tools must be in none. */
    private static final Pattern NAMES = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,79}");

    private static final Pattern BUILDS = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");
    private static final int COMMIT_DIGITS = 12;

    /**
     * The one of {@code PACER_DEPLOYMENT} with the build id of {@code PACER_BUILD_ID}, else this build's version and commit; empty where no name is set.
     *
     * @throws BadInputException when one of them is none
     */
    public static Optional<Deployment> of(Map<String, String> environment) {
        String name = environment.getOrDefault(NAME, "").strip();
        if (name.isEmpty()) {
            return Optional.empty();
        }
        require(NAME, name, NAMES, "80 letters, digits, '_' or '-'");
        String given = environment.getOrDefault(BUILD, "").strip();
        String build = given.isEmpty()
                ? ofThisBuild(environment.getOrDefault("PACER_COMMIT", "").strip())
                : given;
        require(BUILD, build, BUILDS, "100 letters, digits, '.', '_' or '-'");
        return Optional.of(new Deployment(name, build));
    }

    private static String ofThisBuild(String commit) {
        return commit.isEmpty()
                ? Machine.version()
                : Machine.version() + "-" + commit.substring(0, Math.min(COMMIT_DIGITS, commit.length()));
    }

    private static void require(String variable, String value, Pattern pattern, String rule) {
        if (!pattern.matcher(value).matches()) {
            throw new BadInputException(
                    "%s: '%s' must be up to %s, and begin with a letter or digit".formatted(variable, value, rule));
        }
    }

    WorkerDeploymentOptions options() {
        return WorkerDeploymentOptions.newBuilder()
                .setUseVersioning(true)
                .setVersion(new WorkerDeploymentVersion(name, buildId))
                .setDefaultVersioningBehavior(VersioningBehavior.AUTO_UPGRADE)
                .build();
    }

    /** What stands for the workers without a version. */
    public static Deployment none(String name) {
        return new Deployment(name, "");
    }

    @Override
    public String toString() {
        return buildId.isEmpty() ? "no version of deployment " + name : "version " + buildId + " of deployment " + name;
    }
}
