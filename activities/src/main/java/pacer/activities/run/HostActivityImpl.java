package pacer.activities.run;

/** Nothing to do: that it was called is what is asked. */
public final class HostActivityImpl implements HostActivity {
    @Override
    public void answer() {}
}
