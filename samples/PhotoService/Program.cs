// An exported model as a service, without libtorch: what vizsla export --output model wrote, and this.
//   vizsla export --model runs/pets --output model
//   dotnet run --project samples/PhotoService -- --model model
//   curl --data-binary @photo.jpg http://localhost:5000/models/photos
using Vizsla.Onnx;
using Vizsla.Serving;

var builder = WebApplication.CreateSlimBuilder(args);
var model = builder.Configuration["model"] ?? "model";
builder.Services.AddVizslaClassifier("photos", _ => OnnxClassifier.Load(model));

var app = builder.Build();
app.MapVizsla();
app.MapHealthChecks("/healthz");
app.Run();
