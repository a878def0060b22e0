"""Catalog entries that several tests of the refresh share."""

MONTHLY = """
- name: applications
  title: Hồ sơ
  sources: [{path: applications.csv}]
  read: {delimiter: ";", decimal: ",", thousands: "."}
  clean: {areas: {level: commune}, max_rejected: 1}
  schema:
    fields:
    - {name: area, from: [Xã/phường], constraints: {required: true}}
    - {name: period, type: yearmonth, from: [Tháng], constraints: {required: true}}
    - {name: received, type: integer, from: [Tiếp nhận], constraints: {minimum: 0}}
    primaryKey: [area, period]
  indicators: [{name: applications_received, title: Tiếp nhận, title_en: R, value: received}]
"""
HEADER = "Xã/phường;Tháng;Tiếp nhận\n"
