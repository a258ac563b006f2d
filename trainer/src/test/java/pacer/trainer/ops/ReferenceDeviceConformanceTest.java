package pacer.trainer.ops;

/** The reference on strided and BF16 tensors against itself on contiguous F32 ones. */
class ReferenceDeviceConformanceTest extends DeviceConformanceTest {
    @Override
    protected Device open() {
        return new ReferenceDevice();
    }
}
